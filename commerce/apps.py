"""Who in commerce listens to what."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CommerceConfig(AppConfig):
    name = "commerce"
    verbose_name = _("Commerce")

    def ready(self) -> None:
        from commerce.asking.handlers import gather_team_of_listing
        from commerce.asking.rooms import KIND
        from commerce.attribution.handlers import credit_recorded_order, reverse_refunded_credits
        from commerce.events import DeliveryReceived, OrderRecorded, OrderRefunded
        from commerce.merchants.services import shop_hosts
        from commerce.orders.handlers import process_delivery
        from commerce.placements.handlers import (
            follow_moved_posts,
            link_edited_message,
            link_edited_post,
            link_published_post,
            link_sent_message,
        )
        from commerce.placements.in_messages import UNDER_MESSAGES, listing_notes
        from commerce.placements.shown import disclosures_of_author, minis_of_thread
        from community.chat.drawing import MESSAGE_NOTES
        from community.chat.kinds import add_kind
        from community.chat.previews import ALSO_DRAWN
        from community.events import (
            MessageEdited,
            MessageSent,
            PostEdited,
            PostPublished,
            ThreadChanged,
        )
        from community.standing.limits import VOUCHERS
        from community.threads.lists import ROW_NOTES
        from community.threads.pages import POST_NOTES
        from config.outbox import subscribe
        from config.personal import declare_features

        VOUCHERS.append(shop_hosts)
        POST_NOTES["disclosures"] = disclosures_of_author
        ROW_NOTES["minis"] = minis_of_thread
        MESSAGE_NOTES["listing_cards"] = listing_notes
        ALSO_DRAWN.append(UNDER_MESSAGES)
        add_kind(KIND)
        # On the queue of chat's own handlers: a message writes one row for all of them.
        subscribe(MessageSent, gather_team_of_listing)
        subscribe(MessageSent, link_sent_message)
        subscribe(MessageEdited, link_edited_message)
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
