from django.urls import path

from commerce.connectors import receiver, views

urlpatterns = [
    path("hooks/generic/<uuid:public_id>/", receiver.generic_hook, name="generic_hook"),
    path("merchants/<slug:slug>/connector/", views.connector, name="connector"),
    path("merchants/<slug:slug>/connector/endpoint", views.endpoint, name="connector_endpoint"),
    path("merchants/<slug:slug>/connector/secret", views.secret, name="connector_secret"),
    path("merchants/<slug:slug>/connector/closing", views.closing, name="connector_closing"),
    path(
        "merchants/<slug:slug>/connector/deliveries/<int:delivery_id>/",
        views.delivery,
        name="delivery",
    ),
    path(
        "merchants/<slug:slug>/connector/deliveries/<int:delivery_id>/replay",
        views.delivery_replay,
        name="delivery_replay",
    ),
]
