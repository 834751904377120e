from django.urls import path

from community.search import views

urlpatterns = [
    path("search/", views.search, name="search"),
    path("search/suggest/", views.suggest, name="search_suggest"),
    path("threads/similar/", views.similar, name="similar_threads"),
    path("search/saved/", views.saved_searches, name="saved_searches"),
    path("search/saved/<int:pk>/", views.saved_search, name="saved_search"),
]
