"""Members: people with an account.

Words: a member has a handle (in addresses and mentions) and a name (shown). A guest has neither.
Pages: sign-up and sign-in (allauth with our templates), a member's profile, settings.
"""
