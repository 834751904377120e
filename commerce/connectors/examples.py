"""What the connector page shows to copy. The examples are run by the tests as they stand."""

from __future__ import annotations

import json
from typing import Any, Final

from config.money import exponent

ORDER: Final[dict[str, Any]] = {
    "type": "order.created",
    "timestamp": "2026-11-22T09:30:05Z",
    "data": {
        "id": "1001",
        "placed_at": "2026-11-22T09:30:00Z",
        "updated_at": "2026-11-22T09:30:00Z",
        "currency": "EUR",
        "click_id": "",
        "lines": [
            {"id": "1", "sku": "OPT-R2", "title": "Optra R2", "quantity": 1, "net": "210.00"}
        ],
    },
}
REFUND: Final[dict[str, Any]] = {
    "type": "refund.created",
    "timestamp": "2026-11-25T16:02:11Z",
    "data": {
        "id": "R1",
        "order_id": "1001",
        "refunded_at": "2026-11-25T16:02:00Z",
        "currency": "EUR",
        "lines": [{"line_id": "1", "amount": "50.00"}],
    },
}
SNIPPET: Final = """\
<script>
  const fc = new URLSearchParams(location.search).get("fc");
  if (fc) sessionStorage.setItem("fc", fc);
  // When the order is placed: click_id = sessionStorage.getItem("fc")
</script>
"""
# A key in hexadecimal, because openssl reads no other that may hold any byte.
CURL: Final = """\
ADDRESS="@address@"
SECRET="whsec_…"

BODY=$(cat order.json)
ID="order-1001-1"   # one for each event, the same when you send it again
AT=$(date +%s)
KEY=$(printf %s "${SECRET#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \\n')
SIGNATURE=$(printf %s "$ID.$AT.$BODY" |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary | base64)

curl -i "$ADDRESS" --data-binary "$BODY" \\
  -H "content-type: application/json" -H "webhook-id: $ID" \\
  -H "webhook-timestamp: $AT" -H "webhook-signature: v1,$SIGNATURE"
"""
PYTHON: Final = """\
import base64, hashlib, hmac, time, urllib.request

ADDRESS = "@address@"
SECRET = "whsec_…"

body = open("order.json", "rb").read()
id = "order-1001-1"  # one for each event, the same when you send it again
at = str(int(time.time()))
key = base64.b64decode(SECRET.removeprefix("whsec_"))
signed = hmac.new(key, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
request = urllib.request.Request(ADDRESS, body, {
    "Content-Type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": at,
    "webhook-signature": "v1," + base64.b64encode(signed).decode(),
})
with urllib.request.urlopen(request, timeout=10) as answer:
    print(answer.status, answer.read().decode())
"""


def examples(address: str, currency: str = "EUR") -> dict[str, str]:
    """Return the page's examples by name, with the merchant's own address and currency in them.

    Their amounts have two decimals; where money has more or fewer, the currency stays EUR.
    """
    if exponent(currency) != 2:
        currency = "EUR"
    order = {**ORDER, "data": {**ORDER["data"], "currency": currency}}
    refund = {**REFUND, "data": {**REFUND["data"], "currency": currency}}
    return {
        "example": json.dumps(order, indent=2),
        "example_refund": json.dumps(refund, indent=2),
        "snippet": SNIPPET.strip(),
        "curl": CURL.replace("@address@", address).strip(),
        "python": PYTHON.replace("@address@", address).strip(),
    }
