from django.urls import path

from community.members import views

urlpatterns = [
    path("language/", views.language, name="language"),
]
