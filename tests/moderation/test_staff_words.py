"""The staff's admin speaks the languages of the site: what it lists, and each column of a list."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.utils.translation import override

from config.models import OutboxEvent

OURS = ("config", "community", "commerce", "moderation")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def said_of(kind: admin.ModelAdmin[Any]) -> list[str]:
    """What an admin shows of its rows: their name, and the heads of its columns and filters."""
    fields = [*kind.list_display, *kind.readonly_fields, *kind.prepopulated_fields]
    fields += [name for name in kind.list_filter if isinstance(name, str)]
    columns = {str(label_for_field(name, kind.model, kind)) for name in fields}
    return [str(kind.opts.verbose_name), str(kind.opts.verbose_name_plural), *sorted(columns)]


def test_everything_the_staff_look_at_is_named_in_chinese():
    admin.autodiscover()
    listed = {
        model: kind for model, kind in admin.site._registry.items() if model._meta.app_label in OURS
    }
    assert len(listed) == 8
    with override("zh-hans"):
        english = {
            model.__name__: left
            for model, kind in listed.items()
            if (left := [said for said in said_of(kind) if not CHINESE.search(said)])
        }
        domains = [str(apps.get_app_config(name).verbose_name) for name in OURS]
    assert english == {"OutboxEvent": ["ID"]}
    assert domains == ["基础", "社区", "商业", "社区管理"]


@pytest.mark.parametrize(("language", "said"), [("en", "outbox events"), ("zh-hans", "待发事件")])
def test_a_name_is_in_the_language_that_is_active(language: str, said: str):
    with override(language):
        assert str(OutboxEvent._meta.verbose_name_plural) == said
