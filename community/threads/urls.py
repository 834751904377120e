from django.urls import path

from community.threads import views

urlpatterns = [
    path("g/<slug:slug>/new/", views.new, name="new_thread"),
    path("t/<int:thread_id>/", views.show, {"slug": ""}),
    path("t/<int:thread_id>/replies/", views.reply, name="reply"),
    path("t/<int:thread_id>/lock/", views.lock, name="lock_thread"),
    path("t/<int:thread_id>/<slug:slug>/", views.show, name="thread"),
    path("p/<int:post_id>/", views.permalink, name="post"),
    path("p/<int:post_id>/edit/", views.edit, name="edit_post"),
    path("p/<int:post_id>/revisions/", views.revisions, name="revisions"),
    path("preview/", views.preview, name="preview"),
]
