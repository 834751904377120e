"""What becomes of what a member bought. Orders are kept: they are a merchant's books."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commerce.merchants.models import Merchant, MerchantKind, TeamMember, TeamRole
from commerce.orders.models import Order
from config.personal import (
    Erasing,
    Exported,
    Obstacle,
    declare,
    keys,
    refuse_while,
    runs,
    swept,
)


def register() -> None:
    declare(
        "commerce.Order.buyer_member",
        Exported(
            "orders",
            gettext_lazy(
                "Orders that shops told us were yours. Money is in the currency's minor units."
            ),
            keys(
                merchant=("merchant__slug", gettext_lazy("the shop")),
                number=("external_id", gettext_lazy("the shop's number of the order")),
                placed_at=gettext_lazy("when you ordered"),
                total_minor=gettext_lazy("what it came to, before refunds"),
                currency=gettext_lazy("its currency"),
                cancelled_at=gettext_lazy("when it was cancelled"),
            ),
        ),
        runs(
            "blanks",
            swept("commerce.Order", _of, forget_buyer),
            "The sale stays in the shop's books; who bought is forgotten.",
        ),
    )
    refuse_while(shops_without_another_owner)


def _of(erasing: Erasing) -> Q:
    digests = [hashlib.sha256(email.lower().encode()).hexdigest() for email in erasing.emails]
    return Q(buyer_member=erasing.member_id) | Q(buyer_email_sha256__in=digests)


def forget_buyer(erasing: Erasing, orders: Sequence[Order]) -> None:
    Order.objects.filter(pk__in=[order.pk for order in orders]).update(
        buyer_member=None, buyer_email_sha256=""
    )


def shops_without_another_owner(member_id: int) -> Iterator[Obstacle]:
    """A shop with a team or with orders is handed over first; any other closes with its owner.

    Who sells in person has nobody to hand over to: the orders stay with a neutral name.
    """
    others = TeamMember.objects.filter(merchant=OuterRef("pk")).exclude(member=member_id)
    stuck = (
        Merchant.objects.filter(
            kind=MerchantKind.SHOP, team__member=member_id, team__role=TeamRole.OWNER
        )
        .filter(~Exists(others.filter(role=TeamRole.OWNER)))
        .filter(Exists(others) | Exists(Order.objects.filter(merchant=OuterRef("pk"))))
    )
    for shop in stuck.order_by("name"):
        yield Obstacle(
            _(
                "You are the only owner of the shop “%(shop)s”, which has a team or orders. "
                "Make somebody else an owner."
            )
            % {"shop": shop.name},
            reverse("merchant_team", args=[shop.slug]),
        )
