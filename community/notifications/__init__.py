"""Notifications: telling a member what happened, once, where and when they want to hear it.

Words: a **notification** is one row in a member's list, of one **kind**. A **sending** takes it, or
a digest, out by e-mail or push when it is due. A **letter** is an e-mail that comes in.
Pages: the list with its badge, preferences, the page behind "unsubscribe", the letters' endpoint.
Everything here listens; others call `services.notify`. See docs/mail-and-push.md.
"""
