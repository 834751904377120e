"""Every address of the site, by domain."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config import components, emojis, installed, mailbox

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("community.urls")),
    path("", include("commerce.urls")),
    path("", include("moderation.urls")),
    path("accounts/", include("allauth.urls")),
    path("staff/", admin.site.urls),
    path("manifest.webmanifest", installed.manifest, name="manifest"),
    path("sw.js", installed.worker, name="worker"),
    path("offline/", installed.offline, name="offline"),
    path("emoji/<str:language>/<str:version>.json", emojis.emojis, name="emoji"),
]
if not settings.PRODUCTION:
    urlpatterns.append(path("components/", components.sheet, name="components"))
if settings.MODE == "demo":
    urlpatterns += [
        path("_mail/", mailbox.index, name="mailbox"),
        path("_mail/<str:name>/", mailbox.show, name="mailbox_letter"),
        path("_mail/<str:name>/page", mailbox.page, name="mailbox_page"),
    ]
