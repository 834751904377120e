"""Commerce's addresses, feature by feature."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("commerce.merchants.urls")),
    path("", include("commerce.listings.urls")),
    path("", include("commerce.placements.urls")),
    path("", include("commerce.touchpoints.urls")),
    path("", include("commerce.asking.urls")),
    path("", include("commerce.connectors.urls")),
    path("", include("commerce.attribution.urls")),
    path("", include("commerce.insights.urls")),
]
