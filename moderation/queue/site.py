"""The admin site moderators and staff sign in to."""

from django.contrib.admin import AdminSite


class StaffSite(AdminSite):
    site_title = "Shoal staff"
    site_header = "Shoal staff"
    index_title = "What needs a look"
