from django.urls import path

from community.profiles import directory, views

urlpatterns = [
    path("members/", directory.members, name="members"),
    path("members/<str:handle>/", views.overview, name="member"),
    path("members/<str:handle>/posts/", views.posts, name="member_posts"),
    path("members/<str:handle>/threads/", views.threads, name="member_threads"),
    path("members/<str:handle>/reactions/", views.reactions, name="member_reactions"),
    path("members/<str:handle>/badges/", views.badges, name="member_badges"),
    path("members/<str:handle>/groups/", views.groups, name="member_groups"),
    path("settings/", views.edit, name="settings"),
]
