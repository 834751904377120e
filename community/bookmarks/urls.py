from django.urls import path

from community.bookmarks import views

urlpatterns = [
    path("bookmarks/", views.mine, name="bookmarks"),
    path("p/<int:post_id>/bookmark/", views.bookmark, name="bookmark"),
]
