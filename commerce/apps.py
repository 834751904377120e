"""Who in commerce listens to what."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CommerceConfig(AppConfig):
    name = "commerce"
    verbose_name = _("Commerce")

    def ready(self) -> None:
        from commerce.attribution.handlers import credit_recorded_order, reverse_refunded_credits
        from commerce.events import DeliveryReceived, OrderRecorded, OrderRefunded
        from commerce.merchants.services import shop_hosts
        from commerce.orders.handlers import process_delivery
        from commerce.placements.handlers import (
            follow_moved_posts,
            link_edited_post,
            link_published_post,
        )
        from commerce.placements.shown import disclosures_of_author, minis_of_thread
        from community.events import PostEdited, PostPublished, ThreadChanged
        from community.standing.limits import VOUCHERS
        from community.threads.lists import ROW_NOTES
        from community.threads.pages import POST_NOTES
        from config.outbox import subscribe
        from config.personal import declare_features

        VOUCHERS.append(shop_hosts)
        POST_NOTES["disclosures"] = disclosures_of_author
        ROW_NOTES["minis"] = minis_of_thread
        subscribe(PostPublished, link_published_post, queue="links")
        subscribe(PostEdited, link_edited_post, queue="links")
        subscribe(ThreadChanged, follow_moved_posts, queue="links")
        subscribe(DeliveryReceived, process_delivery)
        subscribe(OrderRecorded, credit_recorded_order, queue="insights")
        subscribe(OrderRefunded, reverse_refunded_credits, queue="insights")

        declare_features(
            "commerce",
            *("merchants", "listings", "placements", "touchpoints", "connectors", "orders"),
            "attribution",
        )
