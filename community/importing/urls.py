from django.urls import path

from community.importing import views

urlpatterns = [
    path("old/<str:site>/", views.old_address, {"address": ""}),
    path("old/<str:site>/<path:address>", views.old_address, name="old_address"),
]
