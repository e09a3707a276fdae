from django.db import migrations, models

# What it takes to cut a name up, against looking at a row: the planner would rather do it for all
# accounts than ask the index for one letter.
COST = "ALTER FUNCTION account_name_grams(text) COST 1000"
CHEAP = "ALTER FUNCTION account_name_grams(text) COST 100"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_sparse_lists"),
        ("instances", "0002_capacity_limit"),
    ]

    operations = [
        migrations.RunSQL(COST, CHEAP),
        migrations.AddIndex(
            model_name="accountpermission",
            index=models.Index(
                condition=models.Q(("is_superuser", True)),
                fields=["account"],
                name="permission_is_superuser",
            ),
        ),
        migrations.AlterField(
            model_name="accountchangelog",
            name="change_time",
            field=models.DateTimeField(verbose_name="time"),
        ),
        migrations.AddIndex(
            model_name="accountchangelog",
            index=models.Index(fields=["change_time", "id"], name="change_time_order"),
        ),
        migrations.AddIndex(
            model_name="instanceaccount",
            index=models.Index(
                condition=models.Q(("comes_with_product", False), ("is_active", True)),
                fields=["username", "id"],
                include=("instance",),
                name="account_listed",
            ),
        ),
    ]
