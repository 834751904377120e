from django.urls import path

from commerce.listings import views

urlpatterns = [
    path("sell/", views.sell, name="sell"),
    path("listings/mine/", views.mine, name="my_listings"),
    path("listings/<int:listing_id>/", views.listing, name="listing"),
    path("listings/<int:listing_id>/edit/", views.edit, name="edit_listing"),
    path("listings/<int:listing_id>/state/", views.state, name="listing_state"),
    path("g/<slug:slug>/listings/", views.group_listings, name="group_listings"),
    path("merchants/<slug:slug>/shop/", views.shop, name="shop"),
]
