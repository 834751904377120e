from django.urls import path

from commerce.insights import views

urlpatterns = [
    path("sales/", views.my_sales, name="my_sales"),
    path("merchants/<slug:slug>/", views.overview, name="merchant"),
    path("merchants/<slug:slug>/threads/", views.threads, name="merchant_threads"),
    path("merchants/<slug:slug>/lines/", views.order_lines, name="order_lines"),
    path("merchants/<slug:slug>/lines.csv", views.order_lines_csv, name="order_lines_csv"),
]
