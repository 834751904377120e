from django.urls import path

from community.chat import views

urlpatterns = [
    path("chat/", views.rooms, name="chat"),
    path("chat/<slug:slug>/", views.room, name="room"),
    path("chat/<slug:slug>/beside/", views.beside, name="chat_beside"),
    path("chat/<slug:slug>/messages/", views.send, name="send_message"),
    path("chat/<slug:slug>/after/", views.after, name="messages_after"),
]
