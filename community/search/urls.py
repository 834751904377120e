from django.urls import path

from community.search import message_views, views

urlpatterns = [
    path("search/", views.search, name="search"),
    # Not below /chat/: a group may be called "search".
    path("search/messages/", message_views.search_messages, name="search_messages"),
    path("search/suggest/", views.suggest, name="search_suggest"),
    path("threads/similar/", views.similar, name="similar_threads"),
    path("search/saved/", views.saved_searches, name="saved_searches"),
    path("search/saved/<int:pk>/", views.saved_search, name="saved_search"),
]
