"""Groups: where members of one interest talk, with their rules, roles and join modes.

Words: a membership has a role (member, moderator, owner); a group is open, on request, by
invitation, or hidden. A hidden group does not exist for outsiders: 404 in every representation.
Pages: the directory, a group's page, its about page and members, joining, settings.
Events: MemberJoined.
"""
