from django.urls import path

from commerce.placements import views

urlpatterns = [
    path("threads/<int:thread_id>/listings/", views.thread_listings, name="thread_listings"),
    path("placements/<int:placement_id>/removal/", views.removal, name="placement_removal"),
    path(
        "placements/<int:placement_id>/confirmation/",
        views.confirmation,
        name="placement_confirmation",
    ),
]
