from django.urls import path

from community.standing import views

urlpatterns = [
    path("standing/", views.standing, name="standing"),
    path("badges/", views.badges, name="badges"),
    path("badges/<slug:slug>/", views.badge, name="badge"),
]
