"""Instances of every product, with accounts that have each capability and parts that could not be
read, in the words that engines and servers use.
"""

from __future__ import annotations

from tests.engines.mysql import cast as mysql
from tests.engines.oracle import cast as oracle
from tests.engines.postgresql import cast as postgresql
from tests.engines.sqlserver.cast import observed
from tests.live.sqlserver import fleet as sqlserver
from whalefall.engines.observed import (
    Kind,
    Observation,
    ObservedGrant,
    ObservedMembership,
    Scope,
    Section,
    SectionStatus,
)

DENIED, FAILED = SectionStatus.DENIED, SectionStatus.FAILED
EXCEPT_PAYROLL = ("except:payroll",)


def of_mysql() -> Observation:
    app, ana, root = "app_rw@%", "ana@10.0.0.5", "root@%"
    every = [mysql.grant(root, name) for name in mysql.RULES.privileges["global"]]
    made = mysql.observation(
        [
            mysql.account(app, password="empty", plugin="mysql_native_password"),
            mysql.account(ana, password="native or old", plugin="mysql_native_password"),
            mysql.account("ana@%", password_shared=True, password_lifetime=0),
            mysql.account("@localhost", password="empty"),
            mysql.account(root, second_password=True, password_expired=True),
            mysql.account("team_rw@%", Kind.ROLE),
            mysql.account("old_ana@%", locked=True),
        ],
        [
            *every,
            mysql.grant(app, "SELECT", traits=EXCEPT_PAYROLL),
            mysql.grant(app, "SELECT", "shop", "orders", grantable=True),
            mysql.grant(app, "PROXY", scope=Scope.OTHER, object=root),
            mysql.grant(ana, "SYSTEM_VARIABLES_ADMIN"),
            mysql.grant(ana, "BINLOG_ADMIN"),
            mysql.grant("gone@%", "DEFINER", "shop", "v_orders", traits=("security_definer",)),
        ],
        [ObservedMembership("app_rw@%", "team_rw@%", admin=True)],
        collector=app,
    )
    _unread(
        made,
        Section("table", DENIED, "SELECT command denied to user 'w'@'%' (1142)"),
        Section("definer", DENIED, "Routines of others are hidden from this login.", "GRANT ...;"),
        Section("sizes", FAILED, "Not measured: with innodb_stats_on_metadata on, asking for sizes "
                "makes the server analyse every table."),
        Section("settings", FAILED, "db1:3306 did not answer within 60 s."),
    )  # fmt: skip
    return made


def of_postgresql() -> Observation:
    definer = {"schema": "public", "traits": ("security_definer", "superuser_owned")}
    hba = '[["host", ["all"], ["all"], "0.0.0.0/0", "trust"]]'
    made = postgresql.observed(
        postgresql.account("app_rw", password="none", create_role=True),
        postgresql.account("dba_li", superuser=True, password="md5", is_locked=True),
        postgresql.account("team", False, create_role=True),
        postgresql.account("rds_superuser", False),
        postgresql.account("pg_monitor", False),
        postgresql.account("whalefall"),
        postgresql.member("app_rw", "team", admin=True),
        postgresql.member("whalefall", "rds_superuser"),
        postgresql.grant("app_rw", "OWNER", Scope.DATABASE, "shop"),
        postgresql.grant("pg_monitor", "READ ALL SETTINGS", Scope.GLOBAL),
        ObservedGrant("public", "EXECUTE", Scope.ROUTINE, "shop", object="f()", **definer),
        *(
            postgresql.grant(
                who, privilege, Scope.TABLE, "shop", "public", name, object_type="table"
            )
            for name in ("orders", "items")
            for who, privilege in (("team", "OWNER"), ("app_rw", "UPDATE"))
        ),
        version="15",
        settings={"hba": hba, "collector": "whalefall"},
    )
    unread = {
        "old2": "an interrupted DROP DATABASE left it invalid",
        "sales1": "permission denied: whalefall has no CONNECT on it",
        "template0": "it does not accept connections (datallowconn is false)",
        "hr7": "whalefall at db1:5432/hr7: no answer within 5 s.",
    }
    message = "4 of 9 databases could not be read: hr7, old2, sales1, template0"
    _unread(
        made,
        Section("routine", FAILED, message, "GRANT CONNECT ON DATABASE sales TO w;", unread),
        Section("hba", DENIED, "permission denied for pg_hba_file_rules as whalefall"),
        Section("verifiers", FAILED, "A statement took longer than 60 s: canceling statement"),
    )
    return made


def of_sqlserver() -> Observation:
    made = observed(sqlserver.build(), "sa")
    unread = {
        "crm1": "whalefall may not enter the database",
        "old2": "the database is RECOVERY_PENDING",
        "hr7": "the database is in SINGLE_USER mode",
        "till1": "whalefall has no VIEW DEFINITION in it and sees a part only",
    }
    message = "4 of 9 databases could not be read in full: crm1, hr7, old2, till1"
    _unread(
        made,
        Section("routine", FAILED, message, "GRANT VIEW ANY DEFINITION TO [w];", unread),
        Section("passwords", DENIED,
                "whalefall may not see password hashes, which takes CONTROL SERVER"),
        Section("volumes", DENIED, "whalefall has no VIEW SERVER STATE"),
        Section("table", DENIED,
                "whalefall has no VIEW ANY DEFINITION: the server shows it a part only"),
    )  # fmt: skip
    return made


def of_oracle() -> Observation:
    loose = {
        "FAILED_LOGIN_ATTEMPTS": "UNLIMITED",
        "PASSWORD_LIFE_TIME": "180",
        "PASSWORD_REUSE_MAX": "1",
        "PASSWORD_VERIFY_FUNCTION": "NULL",
    }
    weak = {
        "limits": loose,
        "profile": "DEFAULT",
        "default_password": True,
        "password_versions": ["10G", "11G"],
        "default_tablespace": "SYSTEM",
    }
    hr = oracle.account("HR", authentication="EXTERNAL", **weak)
    quota = {"object": "SYSTEM", "traits": ("unlimited",)}
    made = oracle.observation(
        [hr, oracle.account("APP"), oracle.account("DBA_LI"), oracle.role("TEAM")],
        [
            oracle.system("APP", "CREATE ANY TABLE", grantable=True, traits=("common",)),
            oracle.system("APP", "ALTER USER", database="SALESPDB"),
            oracle.on("APP", "SELECT", "HR", "EMPLOYEES", grantable=True, traits=("hierarchy",)),
            oracle.on("APP", "EXECUTE", "SYS", "UTL_HTTP", Scope.ROUTINE),
            ObservedGrant("APP", "QUOTA", Scope.TABLESPACE, **quota),
            ObservedGrant("APP", "PROXY", Scope.OTHER, object="DBA_LI", object_type="account"),
            ObservedGrant("DBA_LI", "SYSDBA", Scope.SERVER),
            oracle.system("PUBLIC", "CREATE SESSION"),
        ],
        [
            ObservedMembership("DBA_LI", "DBA"),
            ObservedMembership("HR", "SELECT_CATALOG_ROLE", admin=True),
            ObservedMembership("PUBLIC", "TEAM"),
        ],
        collector="APP",
        sec_case_sensitive_logon="FALSE",
    )
    unread = {
        "CRMPDB": "the container is not open (MOUNTED)",
        "HRPDB": "this login does not see the container",
    }
    together = "; ".join(f"{name}: {why}" for name, why in unread.items())
    remedy = 'Open the containers, or ALTER USER "W" SET CONTAINER_DATA = ALL CONTAINER = CURRENT;'
    _unread(
        made,
        Section("column", FAILED, together, remedy, unread),
        Section("routine", DENIED, "ORA-00942: table or view does not exist"),
        Section("sizes", FAILED, "A statement took longer than 60 s: ORA-01013."),
    )
    return made


def _unread(observation: Observation, *sections: Section) -> None:
    for name in ("accounts", "memberships", "global", "server", "database", "table", "column"):
        observation.sections.setdefault(name, Section(name))
    observation.sections |= {section.name: section for section in sections}


OBSERVED = {
    "mysql": of_mysql,
    "postgresql": of_postgresql,
    "sqlserver": of_sqlserver,
    "oracle": of_oracle,
}
SERVERS_OWN = {
    "SELECT command denied to user 'w'@'%' (1142)",
    "ORA-00942: table or view does not exist",
    "host all all 0.0.0.0/0 trust",  # a line of its pg_hba.conf
}
"""What a server said itself stays as it is."""

FAILURES = {
    "mysql": "db1:3306 refused the login: Access denied (1045). Check the user "
    "name and the password, and that the account may come from this host.",
    "postgresql": "w at db1:5432/postgres: the server's pg_hba.conf has no entry for this login "
    """from here. Add a line for "w" from this machine's address to pg_hba.conf, and reload.""",
    "sqlserver": "w at db1:1433: the server's certificate is not signed by a CA that is trusted. "
    "Give the instance the CA that signed it, or TLS mode require.",
    "oracle": "w at db1:1521/ORCL: the listener knows no service ORCL (ORA-12514). Check the "
    "service name.",
}
