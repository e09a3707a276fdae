"""Tables with a row for each day become tables partitioned by month.

Sizes are partitioned by their day. Sums are split by the kind of period first: those of days then
by month, those of weeks, months and quarters stay in one table each, for they are never deleted.
What is there is copied over.
"""

from django.db import migrations, models

SIZES = """
    id bigint NOT NULL DEFAULT nextval('{table}_number'),
    collected_date date NOT NULL,
    collected_at timestamptz NOT NULL,
    size_bytes bigint,
    {columns}
    reason varchar(500) NOT NULL,
    PRIMARY KEY (id, collected_date),
    CONSTRAINT {unique} UNIQUE ({one}_id, collected_date)
"""
DATABASE = """
    database_id bigint NOT NULL REFERENCES instance_databases DEFERRABLE INITIALLY DEFERRED,
"""
INSTANCE = """
    instance_id bigint NOT NULL REFERENCES instances DEFERRABLE INITIALLY DEFERRED,
"""
COUNTS = """
    database_count integer NOT NULL CHECK (database_count >= 0),
    measured_count integer NOT NULL CHECK (measured_count >= 0),
"""
SUMS = """
    id bigint NOT NULL DEFAULT nextval('{table}_number'),
    period_type varchar(10) NOT NULL,
    period_start date NOT NULL,
    period_end date NOT NULL,
    avg_bytes bigint, min_bytes bigint, max_bytes bigint, first_bytes bigint, last_bytes bigint,
    change_bytes bigint,
    change_percent double precision,
    data_points integer NOT NULL CHECK (data_points >= 0),
    calculated_at timestamptz NOT NULL,
    {columns}
    PRIMARY KEY (id, period_type, period_start),
    CONSTRAINT {unique} UNIQUE ({one}_id, period_type, period_start)
"""
TABLES = {
    "database_size_stats": (
        SIZES,
        "database",
        "database_size_day",
        DATABASE + INSTANCE + "data_bytes bigint, log_bytes bigint,",
        {
            "database_size_instance": "instance_id, collected_date",
            "database_size_newest": "collected_date, id",
        },
    ),
    "instance_size_stats": (
        SIZES,
        "instance",
        "instance_size_day",
        INSTANCE + COUNTS,
        {"instance_size_newest": "collected_date, id"},
    ),
    "database_size_aggregations": (
        SUMS,
        "database",
        "database_period_unique",
        DATABASE + INSTANCE,
        {
            "database_period_instance": "instance_id, period_type, period_start",
            "database_period": "period_type, period_start, id",
        },
    ),
    "instance_size_aggregations": (
        SUMS,
        "instance",
        "instance_period_unique",
        INSTANCE,
        {"instance_period": "period_type, period_start, id"},
    ),
}
LONGER = ("weekly", "monthly", "quarterly")
MONTHS = """
SELECT to_char(first, 'YYYY_MM'), first::date, (first + interval '1 month')::date
FROM generate_series(
    date_trunc('month', coalesce((SELECT min({day}) FROM {old} {only}), now())::timestamp),
    date_trunc('month', greatest((SELECT max({day}) FROM {old} {only}), now())::timestamp)
        + interval '3 months',
    interval '1 month'
) AS first
"""


def partition(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        for table, (shape, one, unique, columns, indexes) in TABLES.items():
            old = f"{table}_unpartitioned"
            names = {"table": table, "one": one, "unique": unique, "columns": columns}
            is_sums = shape is SUMS
            by = "LIST (period_type)" if is_sums else "RANGE (collected_date)"
            cursor.execute(f"ALTER TABLE {table} RENAME TO {old}")
            for name in (unique, *indexes):
                # Names are unique in a schema: the old ones make room.
                cursor.execute(f"ALTER INDEX IF EXISTS {name} RENAME TO {name}_old")
            cursor.execute(f"CREATE SEQUENCE {table}_number")
            cursor.execute(f"CREATE TABLE {table} ({shape.format(**names)}) PARTITION BY {by}")
            cursor.execute(f"ALTER SEQUENCE {table}_number OWNED BY {table}.id")
            for name, index in indexes.items():
                cursor.execute(f"CREATE INDEX {name} ON {table} ({index})")
            days = table
            if is_sums:
                days = f"{table}_daily"
                cursor.execute(
                    f"CREATE TABLE {days} PARTITION OF {table} FOR VALUES IN ('daily')"
                    " PARTITION BY RANGE (period_start)"
                )
                for period in LONGER:
                    cursor.execute(
                        f"CREATE TABLE {table}_{period} PARTITION OF {table}"
                        f" FOR VALUES IN ('{period}')"
                    )
            day, only = (
                ("period_start", "WHERE period_type = 'daily'")
                if is_sums
                else (
                    "collected_date",
                    "",
                )
            )
            cursor.execute(MONTHS.format(day=day, old=old, only=only))
            for name, first, following in cursor.fetchall():
                cursor.execute(
                    f"CREATE TABLE {days}_{name} PARTITION OF {days}"
                    f" FOR VALUES FROM ('{first}') TO ('{following}')"
                )
            copy(cursor, old, table)


def merge(apps, schema_editor):
    """Back to one table each, with the indexes that the migration before made."""
    with schema_editor.connection.cursor() as cursor:
        for table, (_shape, one, unique, _columns, indexes) in TABLES.items():
            old = f"{table}_partitioned"
            day = "period_type, period_start" if _shape is SUMS else "collected_date"
            cursor.execute(f"ALTER TABLE {table} RENAME TO {old}")
            cursor.execute(f"CREATE TABLE {table} (LIKE {old} INCLUDING CONSTRAINTS)")
            cursor.execute(
                f"ALTER TABLE {table} ALTER id ADD GENERATED BY DEFAULT AS IDENTITY,"
                " ADD PRIMARY KEY (id)"
            )
            copy(cursor, old, table)
            cursor.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {unique} UNIQUE ({one}_id, {day}),"
                " ADD FOREIGN KEY (instance_id) REFERENCES instances DEFERRABLE INITIALLY DEFERRED"
            )
            if one == "database":
                cursor.execute(
                    f"ALTER TABLE {table} ADD FOREIGN KEY (database_id)"
                    " REFERENCES instance_databases DEFERRABLE INITIALLY DEFERRED"
                )
            for name, index in OLD_INDEXES.items():
                if name.startswith(one) and (
                    name in indexes or name == BRIN and "size_st" in table
                ):
                    cursor.execute(f"CREATE INDEX {name} ON {table} USING {index}")


BRIN = "database_size_brin"
OLD_INDEXES = {
    "database_size_instance": "btree (instance_id, collected_date)",
    BRIN: "brin (collected_date)",
    "database_period_instance": "btree (instance_id, period_type, period_start)",
    "database_period": "btree (period_type, period_start)",
    "instance_period": "btree (period_type, period_start)",
}


def copy(cursor, old, table):
    """All rows under their numbers, in the order of days; then the old table goes."""
    cursor.execute(
        "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
        " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
        [old],
    )
    (columns,) = cursor.fetchone()
    cursor.execute(
        f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {old} ORDER BY id"  # noqa: S608
    )
    cursor.execute(f"DROP TABLE {old}")
    cursor.execute(
        f"SELECT setval(pg_get_serial_sequence('{table}', 'id'),"  # noqa: S608
        f" coalesce((SELECT max(id) FROM {table}), 0) + 1, false)"  # noqa: S608
    )
    # Copied rows wait for their references to be checked; until then nothing may be altered.
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")


class Migration(migrations.Migration):
    dependencies = [("capacity", "0002_measured_databases")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(partition, merge)],
            state_operations=[
                migrations.RemoveIndex("databasesizestat", "database_size_brin"),
                migrations.RemoveIndex("databasesizeaggregation", "database_period"),
                migrations.RemoveIndex("instancesizeaggregation", "instance_period"),
                migrations.AddIndex(
                    "databasesizestat",
                    models.Index(fields=["collected_date", "id"], name="database_size_newest"),
                ),
                migrations.AddIndex(
                    "instancesizestat",
                    models.Index(fields=["collected_date", "id"], name="instance_size_newest"),
                ),
                migrations.AddIndex(
                    "databasesizeaggregation",
                    models.Index(
                        fields=["period_type", "period_start", "id"], name="database_period"
                    ),
                ),
                migrations.AddIndex(
                    "instancesizeaggregation",
                    models.Index(
                        fields=["period_type", "period_start", "id"], name="instance_period"
                    ),
                ),
            ],
        )
    ]
