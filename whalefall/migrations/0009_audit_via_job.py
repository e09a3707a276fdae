from typing import Any

from django.db import migrations, models


def say_job(apps: Any, schema_editor: Any) -> None:
    """What the nightly job noted so far stood under "command", though nobody gave one."""
    entries = apps.get_model("whalefall", "AuditEntry").objects
    entries.filter(via="command", action="expire", username="calculate_account").update(via="job")


class Migration(migrations.Migration):
    dependencies = [("whalefall", "0008_saved_views")]
    operations = [
        migrations.AlterField(
            model_name="auditentry",
            name="via",
            field=models.CharField(
                choices=[
                    ("api", "API"),
                    ("admin", "console"),
                    ("command", "command"),
                    ("job", "job"),
                ],
                max_length=10,
            ),
        ),
        migrations.RunPython(say_job, migrations.RunPython.noop),
    ]
