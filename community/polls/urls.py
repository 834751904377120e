from django.urls import path

from community.polls import views

urlpatterns = [
    path("polls/fields/", views.fields, name="poll_fields"),
    path("p/<int:post_id>/poll/", views.edit, name="edit_poll"),
    path("p/<int:post_id>/poll/votes/", views.votes, name="poll_votes"),
    path("p/<int:post_id>/poll/closing/", views.closing, name="close_poll"),
]
