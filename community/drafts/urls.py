from django.urls import path

from community.drafts import views

urlpatterns = [
    path("drafts/", views.drafts, name="drafts"),
    path("drafts/typed/", views.typed, name="typed_by_guest"),
    path("drafts/<str:target>/", views.draft, name="draft"),
    path("p/<int:post_id>/undo/", views.undo, name="undo_post"),
]
