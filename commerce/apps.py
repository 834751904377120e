"""Who in commerce listens to what."""

from django.apps import AppConfig


class CommerceConfig(AppConfig):
    name = "commerce"
    verbose_name = "Commerce"

    def ready(self) -> None:
        from commerce.events import DeliveryReceived
        from commerce.orders.handlers import process_delivery
        from commerce.placements.handlers import link_edited_post, link_published_post
        from community.events import PostEdited, PostPublished
        from config.outbox import subscribe

        subscribe(PostPublished, link_published_post, queue="links")
        subscribe(PostEdited, link_edited_post, queue="links")
        subscribe(DeliveryReceived, process_delivery)
