from django.urls import path

from commerce.merchants import views

urlpatterns = [
    path("merchants/new/", views.open_shop, name="open_shop"),
    path("merchants/<slug:slug>/settings/", views.settings, name="merchant_settings"),
    path("merchants/<slug:slug>/team/", views.team, name="merchant_team"),
    path("merchants/<slug:slug>/team/<str:handle>/", views.team_member, name="team_member"),
    path("merchants/<slug:slug>/invitation/", views.invitation, name="team_invitation"),
]
