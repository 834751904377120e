"""Insights: what a merchant's threads sold, read from the current run of credits.

Words: a period is a span of UTC days; GMV is the value of the orders placed in it, net GMV is that
less refunds and cancellations (on the day of the order), attributed GMV is the part of GMV with
credit, direct or halo. Figures are in the merchant's own currency; others are listed apart.
Pages: what your threads sold, all threads, order lines (and their CSV), one order and why it was
credited as it was. A merchant's team reads them; for everybody else they are not there.
"""
