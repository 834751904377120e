from django.db import migrations

# A touch is a fact: it changes only by forgetting who it was, and goes only when it is too old to
# keep (13 months, docs/decisions/clicks-without-consent.md).
KEEP_TOUCHES = """
CREATE FUNCTION commerce_touchpoint_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.occurred_at < now() - interval '13 months' THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'A touchpoint is kept for 13 months.'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF to_jsonb(NEW) - '{visitor_id,member_id}'::text[]
            = to_jsonb(OLD) - '{visitor_id,member_id}'::text[]
        AND (NEW.visitor_id IS NULL OR NEW.visitor_id = OLD.visitor_id)
        AND (NEW.member_id IS NULL OR NEW.member_id = OLD.member_id)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'A touchpoint never changes.'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER commerce_touchpoint_keep
    BEFORE UPDATE OR DELETE ON commerce_touchpoint
    FOR EACH ROW EXECUTE FUNCTION commerce_touchpoint_keep();
"""
LET_TOUCHES_GO = """
DROP TRIGGER commerce_touchpoint_keep ON commerce_touchpoint;
DROP FUNCTION commerce_touchpoint_keep();
"""

KEEP_CREDITS = """
CREATE FUNCTION commerce_credit_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A credit never changes: write a reversal.'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER commerce_credit_keep
    BEFORE UPDATE OR DELETE ON commerce_credit
    FOR EACH ROW EXECUTE FUNCTION commerce_credit_keep();
"""
LET_CREDITS_GO = """
DROP TRIGGER commerce_credit_keep ON commerce_credit;
DROP FUNCTION commerce_credit_keep();
"""


class Migration(migrations.Migration):
    dependencies = [("commerce", "0001_initial")]

    operations = [
        migrations.RunSQL(KEEP_TOUCHES, LET_TOUCHES_GO),
        migrations.RunSQL(KEEP_CREDITS, LET_CREDITS_GO),
    ]
