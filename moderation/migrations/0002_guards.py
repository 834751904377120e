from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("moderation", "0001_initial")]

    operations = [
        # An entry that could be changed would prove nothing.
        migrations.RunSQL(
            """
            CREATE FUNCTION moderation_audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'audit entries are never changed nor deleted'
                    USING ERRCODE = 'check_violation';
            END $$;
            CREATE TRIGGER moderation_audit_append_only
                BEFORE UPDATE OR DELETE ON moderation_auditentry
                FOR EACH ROW EXECUTE FUNCTION moderation_audit_append_only();
            """,
            """
            DROP TRIGGER moderation_audit_append_only ON moderation_auditentry;
            DROP FUNCTION moderation_audit_append_only();
            """,
        ),
    ]
