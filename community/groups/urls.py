from django.urls import path

from community.groups import views

urlpatterns = [
    path("groups/", views.directory, name="groups"),
    path("groups/new/", views.new_group, name="new_group"),
    path("invitations/<str:token>/", views.invitation, name="invitation"),
    path("g/<slug:slug>/about/", views.about, name="group_about"),
    path("g/<slug:slug>/edit/", views.edit, name="edit_group"),
    path("g/<slug:slug>/members/", views.members, name="group_members"),
    path("g/<slug:slug>/members/<str:handle>/role/", views.role, name="group_role"),
    path("g/<slug:slug>/membership/", views.membership, name="membership"),
    path("g/<slug:slug>/invitations/", views.invitations, name="group_invitations"),
    path("g/<slug:slug>/requests/<int:request_id>/", views.answer, name="join_request"),
]
