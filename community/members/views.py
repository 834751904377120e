"""The language a reader chose at the foot of a page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseForbidden
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from community.members.models import Member
from community.members.web import from_our_pages
from config.languages import is_ours


# Without a token, like all that stands on every reader's page: see `from_our_pages`.
@csrf_exempt
@require_POST
def language(request: HttpRequest) -> HttpResponseBase:
    """Keep `language` in this browser, for a member also with the account; back to `next`."""
    if not from_our_pages(request):
        return HttpResponseForbidden(_("This form is only for our own pages."))
    code = request.POST.get("language", "")
    if isinstance(request.user, Member) and is_ours(code):
        Member.objects.filter(pk=request.user.pk).update(language=code)
    return set_language(request)
