import django.contrib.postgres.indexes
from django.db import migrations
from django.db.models.functions import Upper

import capacity.search

FUNCTION = """
CREATE OR REPLACE FUNCTION database_name_grams(name text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT string_to_array(name, NULL)
        || (SELECT array_agg(substr(name, i, 2)) FROM generate_series(1, length(name) - 1) i)
$$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("capacity", "0006_by_size"),
        ("instances", "0002_capacity_limit"),
    ]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION database_name_grams(text)"),
        migrations.AddIndex(
            model_name="instancedatabase",
            index=django.contrib.postgres.indexes.GinIndex(
                capacity.search.NameGrams(Upper("database_name")),
                fastupdate=False,
                name="database_name_grams",
            ),
        ),
    ]
