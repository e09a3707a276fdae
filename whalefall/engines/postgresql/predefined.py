"""The predefined roles and what the server lets their members do without any grant saying so.

Source: "Predefined Roles" in PostgreSQL's manual, each checked on a server of the version.
"""

from __future__ import annotations

from collections.abc import Iterator

from whalefall.engines.observed import ObservedGrant, Scope

DATABASE_OWNER = "pg_database_owner"
"""Its only member is the owner of the current database, without any row saying so (14+)."""

MANAGED_SUPERUSERS = {
    "rds_superuser": "Amazon RDS",
    "cloudsqlsuperuser": "Google Cloud SQL",
    "azure_pg_admin": "Azure Database for PostgreSQL",
    "alloydbsuperuser": "Google AlloyDB",
}
"""What managed services give instead of SUPERUSER, and whose it is."""

IMPLIED: dict[str, tuple[int, tuple[str, ...]]] = {
    "pg_read_all_data": (140000, ("SELECT", "USAGE")),
    "pg_write_all_data": (140000, ("INSERT", "UPDATE", "DELETE", "USAGE")),
    "pg_maintain": (170000, ("MAINTAIN",)),
    "pg_execute_server_program": (110000, ("EXECUTE SERVER PROGRAM",)),
    "pg_read_server_files": (110000, ("READ SERVER FILES",)),
    "pg_write_server_files": (110000, ("WRITE SERVER FILES",)),
    "pg_signal_backend": (100000, ("SIGNAL BACKEND",)),
    "pg_signal_autovacuum_worker": (180000, ("SIGNAL AUTOVACUUM",)),
    "pg_checkpoint": (150000, ("CHECKPOINT",)),
    "pg_create_subscription": (160000, ("CREATE SUBSCRIPTION",)),
    "pg_use_reserved_connections": (160000, ("RESERVED CONNECTIONS",)),
    "pg_read_all_settings": (100000, ("READ ALL SETTINGS",)),
    "pg_read_all_stats": (100000, ("READ ALL STATISTICS",)),
    "pg_stat_scan_tables": (100000, ("SCAN TABLES",)),
}
"""Role -> since which version, and its rights on everything of the kind (scope `global`).

pg_monitor is not here: it is a member of pg_read_all_settings and others by ordinary memberships.
"""

POWERFUL = frozenset(
    (
        "pg_read_all_data",
        "pg_write_all_data",
        "pg_execute_server_program",
        "pg_read_server_files",
        "pg_write_server_files",
        *MANAGED_SUPERUSERS,
    )
)
"""Roles whose ADMIN OPTION makes its holder an administrator of privileges."""


def implied_grants(version: int) -> Iterator[ObservedGrant]:
    """What a server of `version` grants its predefined roles by its own code."""
    for role, (since, privileges) in IMPLIED.items():
        if version >= since:
            for privilege in privileges:
                yield ObservedGrant(
                    role, privilege, Scope.GLOBAL, section="global", source="predefined role"
                )
