from django.urls import path

from community.members import blocking_views, views

urlpatterns = [
    path("language/", views.language, name="language"),
    path("members/<str:handle>/block/", blocking_views.blocking, name="block"),
    path("settings/blocks/", blocking_views.blocks, name="blocks"),
]
