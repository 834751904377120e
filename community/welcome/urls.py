from django.urls import path

from community.welcome import views

urlpatterns = [
    path("welcome/", views.welcome, name="welcome"),
    path("welcome/interests/", views.interests, name="welcome_interests"),
    path("welcome/groups/", views.groups, name="welcome_groups"),
    path("welcome/hello/", views.hello, name="welcome_hello"),
    path("welcome/done/", views.done, name="welcome_done"),
]
