from django.urls import path

from community.chat import message_views, room_views, views

urlpatterns = [
    path("chat/", views.rooms, name="chat"),
    path("chat/<slug:slug>/", views.group_room, name="room"),
    path("chat/<slug:slug>/beside/", views.beside, name="chat_beside"),
    path("chat/<slug:slug>/new/", room_views.new_in_group, name="new_room"),
    path("rooms/new/", room_views.new_of_people, name="new_direct"),
    path("rooms/beside/<int:thread_id>/", room_views.beside_thread, name="room_beside"),
    path("rooms/<int:room_id>/about/", room_views.about, name="about_room"),
    path("rooms/<int:room_id>/settings/", room_views.settings, name="room_settings"),
    path("rooms/<int:room_id>/level/", room_views.level, name="room_level"),
    path("rooms/<int:room_id>/answer/", room_views.answer, name="answer_request"),
    path("rooms/<int:room_id>/leave/", room_views.leave, name="leave_room"),
    path("rooms/<int:room_id>/", views.room, name="room_by_id"),
    path("rooms/<int:room_id>/messages/", views.send, name="send_message"),
    path("rooms/<int:room_id>/after/", views.after, name="messages_after"),
    path("rooms/<int:room_id>/read/", views.read, name="read_room"),
    path("rooms/<int:room_id>/writing/", views.writing, name="writing"),
    path("rooms/<int:room_id>/here/", views.here, name="who_is_here"),
    path("rooms/<int:room_id>/pins/", message_views.pins, name="room_pins"),
    path("rooms/<int:room_id>/<int:seq>/", message_views.message, name="message"),
    path("rooms/<int:room_id>/<int:seq>/react/", message_views.react, name="react_to_message"),
    path("rooms/<int:room_id>/<int:seq>/edit/", message_views.edit, name="edit_message"),
    path("rooms/<int:room_id>/<int:seq>/hide/", message_views.hide, name="hide_message"),
    path("rooms/<int:room_id>/<int:seq>/pin/", message_views.pin, name="pin_message"),
    path("rooms/<int:room_id>/<int:seq>/edits/", message_views.revisions, name="message_edits"),
]
