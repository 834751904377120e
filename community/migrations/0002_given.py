from typing import Any

from django.db import migrations

from community.standing.given import ensure_given


def write_given(apps: Any, schema_editor: Any) -> None:
    """The interests and badges every site starts with; those there already stay as they are."""
    ensure_given(apps.get_model("community", "Interest"), apps.get_model("community", "Badge"))


class Migration(migrations.Migration):
    dependencies = [("community", "0001_initial")]

    operations = [migrations.RunPython(write_given, migrations.RunPython.noop, elidable=False)]
