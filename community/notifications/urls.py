from django.urls import path

from community.notifications import letters, views

urlpatterns = [
    path("notifications/", views.index, name="notifications"),
    path("notifications/<int:notification_id>/", views.follow, name="notification"),
    path("notifications/<int:notification_id>/read", views.read, name="notification_read"),
    path("notifications/read", views.read_all, name="notifications_read"),
    path("notifications/badge", views.badge, name="notifications_badge"),
    path("notifications/push", views.push_subscription, name="push_subscription"),
    path("settings/notifications/", views.preferences, name="notification_settings"),
    path("mail/off/<str:token>/", letters.off, name="mail_off"),
    path("inbound-mail/", letters.inbound, name="inbound_mail"),
]
