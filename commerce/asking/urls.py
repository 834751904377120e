from django.urls import path

from commerce.asking import views

urlpatterns = [
    path("listings/<int:listing_id>/question/", views.ask, name="ask_seller"),
    path("merchants/<slug:slug>/questions/", views.questions, name="merchant_questions"),
]
