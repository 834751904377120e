from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    """Lists of one kind, and pinned threads, at any number of threads."""

    dependencies = [("community", "0008_privacy")]
    operations = [
        migrations.AddIndex(
            "thread",
            models.Index(
                F("kind"),
                F("last_post_at").desc(),
                F("id").desc(),
                condition=~Q(kind="talk"),
                name="thread_latest_of_kind",
            ),
        ),
        migrations.AddIndex(
            "thread",
            models.Index(
                F("group"),
                F("kind"),
                F("last_post_at").desc(),
                F("id").desc(),
                condition=~Q(kind="talk"),
                name="thread_kind_in_group",
            ),
        ),
        migrations.AddIndex(
            "thread",
            models.Index(
                "group", condition=Q(pinned_at__isnull=False), name="thread_pinned_in_group"
            ),
        ),
    ]
