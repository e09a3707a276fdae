import django.db.models.deletion
from django.db import migrations, models

FILL = """
    UPDATE account_risks r SET account_id = p.account_id
    FROM account_permission p WHERE p.id = r.permission_id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_quick_lists"),
        ("classification", "0011_rule_stamps"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="accountrisk", name="account_risk_level"),
        migrations.AddField(
            model_name="accountrisk",
            name="account",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.instanceaccount",
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="accountrisk",
            index=models.Index(fields=["level", "account"], name="account_risk_of"),
        ),
    ]
