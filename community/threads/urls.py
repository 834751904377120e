from django.urls import path

from community.threads import acts, mentions, organise, views

urlpatterns = [
    path("g/<slug:slug>/new/", views.new, name="new_thread"),
    path("t/<int:thread_id>/", views.show, {"slug": ""}),
    path("t/<int:thread_id>/replies/", views.reply, name="reply"),
    path("t/<int:thread_id>/lock/", views.lock, name="lock_thread"),
    path("t/<int:thread_id>/move/", organise.move, name="move_thread"),
    path("t/<int:thread_id>/split/", organise.split, name="split_thread"),
    path("t/<int:thread_id>/merge/", organise.merge, name="merge_thread"),
    path("t/<int:thread_id>/pin/", organise.pin, name="pin_thread"),
    path("t/<int:thread_id>/slow-mode/", organise.slow_mode, name="slow_mode"),
    path("t/<int:thread_id>/closing/", organise.closing, name="thread_closing"),
    path("t/<int:thread_id>/title/", organise.title, name="thread_title"),
    path("t/<int:thread_id>/tags/", organise.head, name="thread_tags"),
    path("t/<int:thread_id>/<slug:slug>/", views.show, name="thread"),
    path("p/<int:post_id>/", views.permalink, name="post"),
    path("p/<int:post_id>/edit/", views.edit, name="edit_post"),
    path("p/<int:post_id>/revisions/", views.revisions, name="revisions"),
    path("p/<int:post_id>/more/", acts.more, name="post_menu"),
    path("p/<int:post_id>/hiding/", acts.hiding, name="hide_post"),
    path("p/<int:post_id>/wiki/", acts.wiki, name="wiki"),
    path("p/<int:post_id>/answer/", acts.answer, name="answer"),
    path("preview/", views.preview, name="preview"),
    path("mentions/", mentions.mentions, name="mentions"),
]
