from django.urls import path

from commerce.touchpoints import views

urlpatterns = [
    path("go/<str:token>", views.go, name="go"),
    path("consent/", views.consent, name="consent"),
    path("privacy/", views.privacy, name="privacy"),
]
