import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("community", "0005_search"),
    ]

    operations = [
        migrations.CreateModel(
            name="Notification",
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
                        choices=[
                            ("mention", "Somebody mentions you"),
                            ("reply", "Somebody replies to you"),
                            ("quote", "Somebody quotes you"),
                            ("thread", "A new thread in a group or tag you watch"),
                            ("watched", "A new reply in a thread you watch"),
                            ("reaction", "Somebody reacts to your post"),
                            ("answer", "Your reply is chosen as the answer"),
                            ("invite", "You are invited to a group"),
                            ("join", "Your request to join a group is answered"),
                            (
                                "decision",
                                "A moderator decides about something you wrote or reported",
                            ),
                            ("reminder", "A bookmark you wanted to be reminded of"),
                            ("search", "Something new fits a search you saved"),
                            ("trust", "You reach another trust level"),
                            ("badge", "You earn a badge"),
                        ],
                        max_length=10,
                    ),
                ),
                ("key", models.CharField(max_length=120)),
                ("actor_count", models.PositiveIntegerField(default=1)),
                ("details", models.JSONField(default=dict)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("on_site", models.BooleanField(default=True)),
                ("read_at", models.DateTimeField(null=True)),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="community.group",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "post",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to="community.post",
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
        ),
        migrations.CreateModel(
            name="Preferences",
            fields=[
                (
                    "member",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="preferences",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "email_when",
                    models.CharField(
                        choices=[
                            ("away", "When I am not here"),
                            ("always", "Always"),
                            ("never", "Never"),
                        ],
                        default="away",
                        max_length=6,
                    ),
                ),
                ("quiet_from", models.TimeField(blank=True, null=True)),
                ("quiet_until", models.TimeField(blank=True, null=True)),
                (
                    "digest",
                    models.CharField(
                        choices=[
                            ("never", "Never"),
                            ("day", "Every day"),
                            ("week", "Every week, on Monday"),
                        ],
                        default="never",
                        max_length=5,
                    ),
                ),
                ("digest_due_at", models.DateTimeField(blank=True, null=True)),
                ("digested_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("digest_due_at"),
                        condition=models.Q(("digest_due_at__isnull", False)),
                        name="digest_due",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("quiet_from__isnull", True), ("quiet_until__isnull", True)),
                            models.Q(
                                ("quiet_from__isnull", False),
                                ("quiet_until__isnull", False),
                                models.Q(("quiet_from", models.F("quiet_until")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="quiet_hours_have_two_ends",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("email_when__in", ["away", "always", "never"])),
                        name="email_when_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("digest", "never"), ("digest_due_at__isnull", True)),
                            models.Q(
                                ("digest__in", ("day", "week")), ("digest_due_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="digest_is_due_if_wanted",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PushSubscription",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("endpoint", models.CharField(max_length=1000, unique=True)),
                ("p256dh", models.CharField(max_length=100)),
                ("auth", models.CharField(max_length=40)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("wait_until", models.DateTimeField(blank=True, null=True)),
                ("failures", models.PositiveSmallIntegerField(default=0)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="push_subscriptions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Sending",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("notification", "Notification"),
                            ("digest", "Digest"),
                            ("refusal", "Answer to a refused letter"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("site", "Here"), ("email", "E-mail"), ("push", "Push")],
                        max_length=5,
                    ),
                ),
                ("key", models.CharField(max_length=120)),
                ("details", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("due", "Due"),
                            ("claimed", "Claimed"),
                            ("sent", "Sent"),
                            ("dropped", "Dropped"),
                        ],
                        default="due",
                        max_length=7,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("due_at", models.DateTimeField()),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("claimed_at", models.DateTimeField(null=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("why", models.CharField(blank=True, max_length=300)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sendings",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "notification",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sendings",
                        to="community.notification",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Told",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "actor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "notification",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="told",
                        to="community.notification",
                    ),
                ),
                (
                    "post",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="community.post",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ChannelChoice",
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
                        choices=[
                            ("mention", "Somebody mentions you"),
                            ("reply", "Somebody replies to you"),
                            ("quote", "Somebody quotes you"),
                            ("thread", "A new thread in a group or tag you watch"),
                            ("watched", "A new reply in a thread you watch"),
                            ("reaction", "Somebody reacts to your post"),
                            ("answer", "Your reply is chosen as the answer"),
                            ("invite", "You are invited to a group"),
                            ("join", "Your request to join a group is answered"),
                            (
                                "decision",
                                "A moderator decides about something you wrote or reported",
                            ),
                            ("reminder", "A bookmark you wanted to be reminded of"),
                            ("search", "Something new fits a search you saved"),
                            ("trust", "You reach another trust level"),
                            ("badge", "You earn a badge"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("site", "Here"), ("email", "E-mail"), ("push", "Push")],
                        max_length=5,
                    ),
                ),
                ("wanted", models.BooleanField()),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="channel_choices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("member", "kind", "channel"), name="channel_chosen_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "mention",
                                    "reply",
                                    "quote",
                                    "thread",
                                    "watched",
                                    "reaction",
                                    "answer",
                                    "invite",
                                    "join",
                                    "decision",
                                    "reminder",
                                    "search",
                                    "trust",
                                    "badge",
                                ],
                            )
                        ),
                        name="choice_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["site", "email", "push"])),
                        name="choice_channel_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InboundEmail",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("message_id", models.CharField(max_length=300, unique=True)),
                (
                    "format",
                    models.CharField(
                        choices=[("postmark", "Postmark's JSON"), ("mime", "MIME")], max_length=8
                    ),
                ),
                ("raw", models.BinaryField(null=True)),
                ("received_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "state",
                    models.CharField(
                        choices=[("due", "Due"), ("posted", "Posted"), ("refused", "Refused")],
                        default="due",
                        max_length=7,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=300)),
                (
                    "member",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="inbound_emails",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "post",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="community.post",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(models.F("received_at"), name="inbound_by_time")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "refused"), models.Q(("reason", ""), _negated=True)),
                            models.Q(("reason", ""), ("state__in", ("due", "posted"))),
                            _connector="OR",
                        ),
                        name="inbound_refused_for_a_reason",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                models.F("member"),
                models.OrderBy(models.F("at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="notification_latest",
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                models.F("member"),
                condition=models.Q(("on_site", True), ("read_at__isnull", True)),
                name="notification_unread",
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(models.F("read_at"), name="notification_by_reading"),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.UniqueConstraint(fields=("member", "key"), name="told_once"),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "reaction"), ("read_at__isnull", True)),
                fields=("member", "post"),
                name="one_unread_row_of_reactions_a_post",
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "mention",
                            "reply",
                            "quote",
                            "thread",
                            "watched",
                            "reaction",
                            "answer",
                            "invite",
                            "join",
                            "decision",
                            "reminder",
                            "search",
                            "trust",
                            "badge",
                        ],
                    )
                ),
                name="notification_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(("actor_count__gte", 1)), name="notification_has_an_occasion"
            ),
        ),
        migrations.AddConstraint(
            model_name="pushsubscription",
            constraint=models.CheckConstraint(
                condition=models.Q(("endpoint__startswith", "https://")), name="push_by_https"
            ),
        ),
        migrations.AddIndex(
            model_name="sending",
            index=models.Index(
                condition=models.Q(("state", "due")),
                fields=["channel", "due_at", "id"],
                name="sending_due",
            ),
        ),
        migrations.AddIndex(
            model_name="sending",
            index=models.Index(
                models.F("claimed_at"),
                condition=models.Q(("state", "claimed")),
                name="sending_claimed",
            ),
        ),
        migrations.AddIndex(
            model_name="sending",
            index=models.Index(models.F("created_at"), name="sending_by_time"),
        ),
        migrations.AddConstraint(
            model_name="sending",
            constraint=models.UniqueConstraint(
                fields=("member", "channel", "key"), name="sent_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="sending",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sent_at__isnull", False), ("state", "sent")),
                    models.Q(models.Q(("state", "sent"), _negated=True), ("sent_at__isnull", True)),
                    _connector="OR",
                ),
                name="sending_sent_has_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="sending",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["due", "claimed", "sent", "dropped"])),
                name="sending_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="sending",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ("email", "push"))),
                name="sending_leaves_the_site",
            ),
        ),
        migrations.AddConstraint(
            model_name="sending",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("notification__isnull", False), ("what", "notification")),
                    models.Q(
                        models.Q(("what", "notification"), _negated=True),
                        ("notification__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="sending_of_a_notification",
            ),
        ),
        migrations.AddConstraint(
            model_name="told",
            constraint=models.UniqueConstraint(fields=("post", "actor"), name="reaction_told_once"),
        ),
    ]
