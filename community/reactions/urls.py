from django.urls import path

from community.reactions import views

urlpatterns = [
    path("p/<int:post_id>/reactions/", views.reactions, name="reactions"),
]
