"""Attribution: which click a sale is credited to, and why.

Words: a touch is eligible unless a named rule excludes it; a model shares an order line out over
the eligible touches as credit. Credit is direct (a click on the listing that was bought), halo (a
click on another listing of the same merchant) or unattributed (no eligible click). A run is one
reckoning of a merchant's orders by one model; the current run is the one pages show. Refunds,
cancellations and changed orders are written as reversals, never as changes.
Pure: policy (who is eligible), arithmetic (money shared and taken back), entries (an order's whole
ledger). Rows and verbs: models, services, why. Listens to OrderRecorded and OrderRefunded.
"""
