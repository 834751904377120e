import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import community.standing.rules
from community.standing.given import ensure_given


def write_given(apps, schema_editor):
    """The interests and badges every site starts with; those there already stay as they are."""
    ensure_given(apps.get_model("community", "Interest"), apps.get_model("community", "Badge"))


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("community", "0006_notifications"),
    ]

    operations = [
        migrations.CreateModel(
            name="Badge",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slug", models.SlugField(max_length=40, unique=True)),
                ("name", models.CharField(max_length=60, unique=True)),
                ("glyph", models.CharField(help_text="One emoji.", max_length=8)),
                (
                    "rank",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "Bronze"), (2, "Silver"), (3, "Gold")], default=1
                    ),
                ),
                (
                    "about",
                    models.CharField(
                        help_text="What it is given for, in a sentence.", max_length=300
                    ),
                ),
                (
                    "rule",
                    models.JSONField(
                        blank=True, null=True, validators=[community.standing.rules.clean_rule]
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["rank", "name"],
            },
        ),
        migrations.CreateModel(
            name="BadgeGrant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("earned_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("rule", models.JSONField(blank=True, null=True)),
                ("reason", models.CharField(blank=True, max_length=300)),
            ],
        ),
        migrations.CreateModel(
            name="KnownDomain",
            fields=[
                ("host", models.CharField(max_length=253, primary_key=True, serialize=False)),
                ("since", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="LevelChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "before",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "New"),
                            (1, "Basic"),
                            (2, "Member"),
                            (3, "Regular"),
                            (4, "Leader"),
                        ]
                    ),
                ),
                (
                    "after",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "New"),
                            (1, "Basic"),
                            (2, "Member"),
                            (3, "Regular"),
                            (4, "Leader"),
                        ]
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("reason", models.CharField(blank=True, max_length=300)),
            ],
        ),
        migrations.AddField(
            model_name="member",
            name="activity",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="member",
            name="silenced_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="member",
            name="suspended_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="member",
            index=models.Index(
                models.OrderBy(models.F("activity"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("is_active", True), ("is_listed", True)),
                name="member_by_activity",
            ),
        ),
        migrations.AddConstraint(
            model_name="badge",
            constraint=models.CheckConstraint(
                condition=models.Q(("rank__in", (1, 2, 3))), name="badge_rank_known"
            ),
        ),
        migrations.AddField(
            model_name="badgegrant",
            name="badge",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="grants",
                to="community.badge",
            ),
        ),
        migrations.AddField(
            model_name="badgegrant",
            name="by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="badgegrant",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="badge_grants",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="badgegrant",
            name="post",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="community.post",
            ),
        ),
        migrations.AddField(
            model_name="levelchange",
            name="by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="levelchange",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="level_changes",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="badgegrant",
            index=models.Index(
                models.F("badge"),
                models.OrderBy(models.F("id"), descending=True),
                name="holders_of_badge",
            ),
        ),
        migrations.AddConstraint(
            model_name="badgegrant",
            constraint=models.UniqueConstraint(
                fields=("member", "badge"), name="badge_earned_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="badgegrant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("rule__isnull", False),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="badge_has_a_reason",
            ),
        ),
        migrations.AddIndex(
            model_name="levelchange",
            index=models.Index(
                models.F("member"),
                models.OrderBy(models.F("at"), descending=True),
                name="level_changes_of_member",
            ),
        ),
        migrations.AddConstraint(
            model_name="levelchange",
            constraint=models.CheckConstraint(
                condition=models.Q(("before", models.F("after")), _negated=True),
                name="level_did_change",
            ),
        ),
        migrations.AddConstraint(
            model_name="levelchange",
            constraint=models.CheckConstraint(
                condition=models.Q(("after__in", [0, 1, 2, 3, 4])), name="level_change_known"
            ),
        ),
        migrations.RunPython(write_given, migrations.RunPython.noop, elidable=False),
    ]
