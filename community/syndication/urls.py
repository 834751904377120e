from django.urls import path

from community.syndication import feeds, sitemaps

urlpatterns = [
    path("robots.txt", sitemaps.robots, name="robots"),
    path("sitemap.xml", sitemaps.index, name="sitemap"),
    path("sitemaps/<str:kind>-<int:number>.xml", sitemaps.part, name="sitemap_part"),
    path("atom.xml", feeds.site, name="site_feed"),
    path("g/<slug:slug>/atom.xml", feeds.group, name="group_feed"),
    path("tags/<str:slug>/atom.xml", feeds.tag, name="tag_feed"),
    path("members/<str:handle>/atom.xml", feeds.member, name="member_feed"),
]
