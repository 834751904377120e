from django.urls import path

from community.privacy import views

urlpatterns = [
    path("settings/data/", views.data, name="my_data"),
    path("settings/data/copy/", views.ask, name="ask_for_export"),
    path("settings/data/copy/progress/", views.progress, name="export_progress"),
    path("settings/data/copy/<uuid:export_id>/", views.fetch, name="export"),
    path("settings/data/erasure/", views.erasure, name="erasure"),
]
