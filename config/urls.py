"""Every address of the site, by domain."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("community.urls")),
    path("", include("commerce.urls")),
    path("", include("moderation.urls")),
    path("accounts/", include("allauth.urls")),
    path("staff/", admin.site.urls),
]
