from django.urls import path

from community.uploads import views

urlpatterns = [
    path("uploads/", views.upload, name="upload"),
    path("images/<uuid:image_id>/", views.show, {"size": "full"}, name="image"),
    path("thumbnails/<uuid:image_id>/", views.show, {"size": "thumbnail"}, name="thumbnail"),
]
