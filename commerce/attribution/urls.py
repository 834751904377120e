from django.urls import path

from commerce.attribution import views

urlpatterns = [
    path(
        "merchants/<slug:slug>/orders/<int:order_id>/", views.merchant_order, name="merchant_order"
    ),
]
