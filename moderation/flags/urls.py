from django.urls import path

from moderation.flags import views

urlpatterns = [
    path("flag/<slug:kind>/<int:target_id>/", views.flag, name="flag"),
    path("settings/decisions/", views.decisions, name="decisions"),
]
