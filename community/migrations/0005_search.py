import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.utils.timezone
import pgvector.django.halfvec
import pgvector.django.sparsevec
from django.conf import settings
from django.contrib.postgres.operations import UnaccentExtension
from django.db import migrations, models
from pgvector.django import VectorExtension


class Migration(migrations.Migration):
    dependencies = [
        ("community", "0004_forum"),
    ]

    operations = [
        UnaccentExtension(),
        VectorExtension(),
        migrations.CreateModel(
            name="Lexeme",
            fields=[
                ("word", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("documents", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="SearchFigures",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("documents", models.PositiveIntegerField(default=0)),
                ("lexemes", models.PositiveBigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("pk", 1)), name="search_figures_one_row"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Word",
            fields=[
                ("word", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("documents", models.PositiveIntegerField(default=0)),
                (
                    "leavings",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), null=True, size=None
                    ),
                ),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fastupdate=False, fields=["leavings"], name="word_by_leavings"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SavedSearch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("query", models.CharField(max_length=300)),
                (
                    "alert",
                    models.CharField(
                        choices=[
                            ("none", "Never"),
                            ("at_once", "At once"),
                            ("daily", "Once a day"),
                        ],
                        default="at_once",
                        max_length=10,
                    ),
                ),
                ("last_document_id", models.BigIntegerField(default=0)),
                ("looked_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_searches",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["name", "pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("alert", "none"), _negated=True),
                        fields=["looked_at"],
                        name="saved_search_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("member", "query"), name="search_saved_once"),
                    models.CheckConstraint(
                        condition=models.Q(("alert__in", ("none", "at_once", "daily"))),
                        name="search_alert_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchDocument",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("post", "Post"), ("member", "Member"), ("group", "Group")],
                        max_length=10,
                    ),
                ),
                ("object_id", models.BigIntegerField()),
                ("is_opening", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                ("title", models.CharField(blank=True, max_length=300)),
                ("tags", models.CharField(blank=True, max_length=1000)),
                ("text", models.TextField(blank=True)),
                ("language", models.CharField(max_length=20)),
                ("length", models.PositiveIntegerField()),
                ("is_counted", models.BooleanField()),
                ("version", models.PositiveSmallIntegerField()),
                ("indexed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("tsv", django.contrib.postgres.search.SearchVectorField()),
                ("names", django.contrib.postgres.search.SearchVectorField(null=True)),
                ("sv", pgvector.django.sparsevec.SparseVectorField(dimensions=1000000000)),
                ("embedding", pgvector.django.halfvec.HalfVectorField(null=True)),
                (
                    "author",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="community.group",
                    ),
                ),
                (
                    "thread",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="community.thread",
                    ),
                ),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fastupdate=False, fields=["tsv"], name="search_by_words"
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        condition=models.Q(("names__isnull", False)),
                        fastupdate=False,
                        fields=["names"],
                        name="search_by_names",
                    ),
                    models.Index(
                        models.OrderBy(models.F("created_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="search_newest",
                    ),
                    models.Index(
                        models.F("author"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        name="search_of_author",
                    ),
                    models.Index(
                        models.F("group"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        name="search_in_group",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "object_id"), name="search_document_once"
                    )
                ],
            },
        ),
    ]
