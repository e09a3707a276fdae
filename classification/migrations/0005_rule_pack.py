from django.conf import settings
from django.db import migrations


def load_rules(apps, schema_editor):
    from classification.rulepack import load

    if settings.LOAD_RULES:
        load(
            apps.get_model("classification", "AccountClassification"),
            apps.get_model("classification", "ClassificationRule"),
        )


class Migration(migrations.Migration):
    dependencies = [("classification", "0004_light_assignment_keys")]

    operations = [migrations.RunPython(load_rules, migrations.RunPython.noop)]
