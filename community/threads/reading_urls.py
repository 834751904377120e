from django.urls import path

from community.threads import following_views, reading_views

urlpatterns = [
    path("t/<int:thread_id>/read/", reading_views.read, name="read_thread"),
    path("t/<int:thread_id>/unread/", reading_views.to_unread, name="first_unread"),
    path("t/<int:thread_id>/jump/", reading_views.jump, name="jump"),
    path("t/<int:thread_id>/new-posts/", reading_views.new_posts, name="new_posts"),
    path("t/<int:thread_id>/typing/", reading_views.typing, name="typing"),
    path("t/<int:thread_id>/follow/", following_views.follow_thread, name="follow_thread"),
    path("p/<int:post_id>/unread/", reading_views.unread, name="mark_unread"),
    path("all-read/", reading_views.all_read, name="mark_all_read"),
    path("g/<slug:slug>/follow/", following_views.follow_group, name="follow_group"),
    path("tags/<int:tag_id>/follow/", following_views.follow_tag, name="follow_tag"),
    path("settings/follows/", following_views.follows, name="follows"),
]
