from django.urls import path

from community.profiles import views

urlpatterns = [
    path("members/<str:handle>/", views.profile, name="member"),
    path("settings/", views.edit, name="settings"),
]
