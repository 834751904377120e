"""The world of the access matrix, made once a module."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse

from config import urls
from tests.architecture.access.world import World, built


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests of a module meet in one process: each process makes the world anew."""
    for item in items:
        if "world" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Refusals are answered without their page, which costs as much as any other page."""

    def refused(status: int) -> Any:
        def page(request: HttpRequest, exception: Exception) -> HttpResponse:
            return HttpResponse(status=status)

        return page

    patch = pytest.MonkeyPatch()
    patch.setattr(urls, "handler404", refused(404), raising=False)
    patch.setattr(urls, "handler403", refused(403), raising=False)
    logging.disable(logging.CRITICAL)
    try:
        with django_db_blocker.unblock(), built() as made:
            yield made
    finally:
        logging.disable(logging.NOTSET)
        patch.undo()
