"""How letters look: static/css/mail.css, written into the elements of their HTML.

Mail programs drop style sheets; what asks for the dark stays in the head for those that do not.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import css_inline
from django.conf import settings


def inlined(page: str) -> str:
    """Write the style sheet of letters into the elements of a page."""
    styled = page.replace("</head>", f"<style>{_style()}</style></head>", 1)
    done: str = _inliner().inline(styled)
    return done


@lru_cache(maxsize=1)
def _style() -> str:
    return (Path(settings.BASE_DIR) / "static" / "css" / "mail.css").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    # Loads nothing: a letter holds what members wrote.
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
