"""Every key to a member says what becomes of its rows, in the member's export and by erasure."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.apps.registry import Apps
from django.db import models

from community.members.models import Member
from community.privacy.exporting import files
from config import personal
from config.personal import registry


def test_every_key_to_a_member_declares_its_policy():
    assert personal.undeclared(apps.get_models(include_auto_created=True)) == []


def test_a_model_with_a_key_nobody_declared_is_found():
    apart = Apps()  # so that these tables are nobody else's

    class Twin(models.Model):
        watcher = models.ForeignKey(Member, models.CASCADE, related_name="+")
        note = models.TextField()

        class Meta:
            app_label = "community"
            apps = apart

    class Diary(models.Model):
        of = models.OneToOneField(Member, models.CASCADE, related_name="+")
        readers = models.ManyToManyField(Member, related_name="+")

        class Meta:
            app_label = "community"
            apps = apart

    assert personal.undeclared([Twin, Diary, Diary.readers.through]) == [
        "community.Twin.watcher",
        "community.Diary.of",
        "community.Diary_readers.member",
    ]


def test_what_is_declared_is_there():
    known = set(personal.member_keys(apps.get_models(include_auto_created=True)))
    beside = {
        *("community.Member.id", "community.Revision.post__author"),
        "community.MessageRevision.message__sender",
    }
    assert set(registry.policies) - known == beside
    for policy in registry.policies.values():
        # The path leads to the member: asking for rows raises FieldError otherwise.
        str(policy.rows(1).query)


def test_every_file_of_the_export_can_be_asked_for():
    names = [file.exported.name for file in files() if not file.is_pictures]
    assert len(names) == len(set(names)) == len([name for name in names if name.islower()])
    for file in files():
        paths = [key.path for key in file.exported.keys]
        assert "SELECT" in str(file.rows(1).values_list("pk", *paths).query)
        assert file.exported.about.endswith(".")


@pytest.mark.parametrize("secret", ["password", "token", "secret", "endpoint", "auth", "p256dh"])
def test_no_key_of_the_export_is_a_secret(secret: str):
    shown = [
        f"{file.exported.name}.{key.name}"
        for file in files()
        for key in file.exported.keys
        if key.path.rpartition("__")[2] == secret and key.show is None
    ]
    assert shown == []


def test_every_policy_says_why():
    for label, policy in registry.policies.items():
        assert policy.erased.why.endswith("."), label
        assert policy.exported or policy.not_exported.endswith("."), label


def test_declaring_a_key_twice_is_refused():
    with pytest.raises(ValueError, match=r"community\.Draft\.member is declared already"):
        personal.declare(
            "community.Draft.member", personal.NotExported("No."), personal.keeps("No.")
        )
