import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("community", "0006_talk")]

    operations = [
        migrations.AddField(
            model_name="image",
            name="is_confined",
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name="image",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="images",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="linkpreview",
            name="host",
            field=models.CharField(blank=True, max_length=253),
        ),
        migrations.AddField(
            model_name="linkpreview",
            name="due_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="linkpreview",
            name="tries",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name="linkpreview",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["due_at"],
                name="preview_by_due",
            ),
        ),
        migrations.AddIndex(
            model_name="linkpreview",
            index=models.Index(fields=["host", "asked_at"], name="preview_by_host"),
        ),
        migrations.AddField(
            model_name="messagelink",
            name="removed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="messagelink",
            name="thread",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="community.thread",
            ),
        ),
        migrations.AlterField(
            model_name="messagelink",
            name="preview",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="messages",
                to="community.linkpreview",
            ),
        ),
        migrations.AddConstraint(
            model_name="messagelink",
            constraint=models.UniqueConstraint(
                fields=["message", "thread"], name="message_thread_link_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="messagelink",
            constraint=models.CheckConstraint(
                condition=models.Q(("preview__isnull", False), ("thread__isnull", True))
                | models.Q(("preview__isnull", True), ("thread__isnull", False)),
                name="message_link_leads_to_one",
            ),
        ),
    ]
