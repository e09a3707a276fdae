"""Rows for the pages to show: instances, accounts with real facts, changes."""

import uuid
from datetime import timedelta
from itertools import count

from axes.models import AccessAttempt
from django.utils import timezone
from django_q.models import Task
from django_q.tasks import async_task

from accounts import hidden
from accounts.facts import Facts
from accounts.models import AccountChangeLog, AccountPermission, InstanceAccount
from capacity import outlook
from capacity.models import (
    DatabaseGrowth,
    DatabaseSizeAggregation,
    DatabaseSizeStat,
    DatabaseTableSizeStat,
    InstanceDatabase,
    InstanceSizeAggregation,
    InstanceSizeStat,
    InstanceVolume,
)
from classification.models import (
    AccountClassification,
    AccountClassificationAssignment,
    ClassificationRule,
    RiskException,
)
from notify.models import Alert, Channel, Delivery, Rule
from sync.models import SyncCategory, SyncInstanceRecord, SyncSession, SyncType
from whalefall.engines.observed import (
    Kind,
    Observation,
    ObservedAccount,
    ObservedGrant,
    ObservedMembership,
    Scope,
    Section,
    SectionStatus,
)
from whalefall.instances.models import Credential, Instance
from whalefall.models import ApiToken, LogEntry, User

SECRET = "s3cr3t-of-the-collector"
ports = count(5432)


def credential(name: str = "collector") -> Credential:
    found = Credential.objects.filter(name=name).first()
    return found or Credential.objects.create(name=name, username="whalefall", password=SECRET)


def instance(name: str = "orders-db", **values) -> Instance:
    values = {"db_type": "postgresql", "host": f"{name}.example", "port": next(ports)} | values
    return Instance.objects.create(name=name, credential=credential(), **values)


def role(name: str, kind: Kind = Kind.USER, **attributes) -> ObservedAccount:
    known = {"inherit": True, "connection_limit": -1, "password": "scram"}
    return ObservedAccount(name, kind, can_login=kind is Kind.USER, attributes=known | attributes)


def grant(grantee: str, privilege: str, *parts: str, **values) -> ObservedGrant:
    names = dict(zip(("database", "schema", "object", "column"), parts, strict=False))
    scope = (Scope.GLOBAL, Scope.DATABASE, Scope.SCHEMA, Scope.TABLE, Scope.COLUMN)[len(parts)]
    return ObservedGrant(grantee, privilege, scope, section=scope.value, **names, **values)


def orders() -> Observation:
    """`app_rw` reaches the orders by `team_rw -> dba_role`; `dba_li` is a superuser."""
    observation = Observation("postgresql", "PostgreSQL 16.4", "16")
    for account in (
        role("app_rw"),
        role("dba_li", superuser=True),
        role("team_rw", Kind.ROLE),
        role("dba_role", Kind.ROLE),
        role("public", Kind.PUBLIC),
    ):
        observation.accounts[account.username] = account
    observation.memberships += [
        ObservedMembership("app_rw", "team_rw", admin=True),
        ObservedMembership("team_rw", "dba_role"),
    ]
    observation.add_grants(
        [
            grant("app_rw", "CONNECT", "shop"),
            grant("team_rw", "SELECT", "shop", "public", "orders", grantable=True),
            grant("dba_role", "DELETE", "shop", "public", "orders"),
            grant("dba_li", "SUPERUSER"),
        ]
    )
    for name in ("accounts", "memberships", "global", "database", "table"):
        observation.sections[name] = Section(name)
    observation.sections["routine"] = Section(
        "routine",
        SectionStatus.DENIED,
        "permission denied for table pg_proc",
        "GRANT SELECT ON pg_proc TO whalefall;",
    )
    return observation


def store(instance: Instance, observation: Observation) -> dict[str, InstanceAccount]:
    """The accounts of the observation, by name, with their facts."""
    now = timezone.now()
    stored = {}
    for each in Facts(observation, instance.engine.rules):
        account = InstanceAccount.objects.create(
            instance=instance,
            db_type=instance.db_type,
            username=each.username,
            kind=each.kind,
            first_seen_at=now - timedelta(days=40),
            last_seen_at=now,
        )
        AccountPermission.objects.create(
            account=account,
            instance=instance,
            db_type=instance.db_type,
            permission_snapshot=each.snapshot,
            permission_facts=each.facts,
            fact_tokens=each.tokens,
            snapshot_fingerprint=each.snapshot_fingerprint,
            facts_fingerprint=each.facts_fingerprint,
            last_sync_time=now,
            last_change_time=now,
            **each.columns,
        )
        stored[each.username] = account
    hidden.apply(instance.db_type)
    return stored


def change(account: InstanceAccount, **values) -> AccountChangeLog:
    defaults = {
        "change_type": "modify_privilege",
        "change_time": timezone.now(),
        "privilege_diff": [
            {"action": "GRANT", "object": "table:shop.public.orders", "permissions": ["SELECT"]},
            {"action": "REVOKE", "object": "database:shop", "permissions": ["CREATE"]},
        ],
        "other_diff": [
            {"field": "is_locked", "label": "Locked", "before": False, "after": True},
        ],
        "message": "1 granted, 1 revoked",
    }
    return AccountChangeLog.objects.create(
        account=account, instance=account.instance, **(defaults | values)
    )


def session(*instances: Instance, status: str = "completed", **values) -> SyncSession:
    """A session that has ended that way for every instance (or is running)."""
    now = timezone.now()
    ended = None if status == "running" else now
    made = SyncSession.objects.create(
        sync_type=SyncType.MANUAL_BATCH,
        sync_category=SyncCategory.ACCOUNT,
        status=status,
        total_instances=len(instances),
        successful_instances=len(instances) if status == "completed" else 0,
        failed_instances=len(instances) if status == "failed" else 0,
        started_at=now - timedelta(seconds=40),
        completed_at=ended,
        **values,
    )
    SyncInstanceRecord.objects.bulk_create(
        SyncInstanceRecord(
            session=made,
            instance=instance,
            instance_name=instance.name,
            status="pending" if status == "running" else status,
            error_message="connection refused" if status == "failed" else "",
            started_at=now - timedelta(seconds=30),
            completed_at=ended,
        )
        for instance in instances
    )
    return made


def sizes(instance: Instance, name: str = "shop") -> None:
    now = timezone.now()
    period = {"period_type": "daily", "period_start": now.date(), "period_end": now.date()}
    sums = {"avg_bytes": 5 * 2**20, "change_bytes": -(2**20), "change_percent": -3.5}
    seen = {"first_seen_at": now, "last_seen_at": now}
    day = {"collected_date": now.date(), "collected_at": now}
    database = InstanceDatabase.objects.create(instance=instance, database_name=name, **seen)
    DatabaseSizeStat.objects.create(
        database=database, instance=instance, reason="permission denied", **day
    )
    InstanceSizeStat.objects.create(instance=instance, size_bytes=7 * 2**30, **day)
    DatabaseTableSizeStat.objects.create(
        database=database, table_name="orders", data_bytes=2**20, collected_at=now
    )
    DatabaseSizeAggregation.objects.create(
        database=database, instance=instance, calculated_at=now, **period, **sums
    )
    InstanceSizeAggregation.objects.create(instance=instance, calculated_at=now, **period, **sums)
    DatabaseGrowth.objects.create(
        database=database, instance=instance, window_days=30, from_day=now.date(),
        to_day=now.date(), from_bytes=6 * 2**30, to_bytes=7 * 2**30, change_bytes=2**30,
    )  # fmt: skip
    InstanceVolume.objects.create(
        instance=instance, volume_name="/data", total_bytes=9, free_bytes=2, measured_at=now
    )
    outlook.calculate([instance.pk])


def tasks() -> None:
    """One task of each kind in the queue's tables."""
    now = timezone.now()
    for ok in (True, False):
        values = {"func": "sync.tasks.reap_records", "started": now, "stopped": now, "success": ok}
        Task.objects.create(id=uuid.uuid4().hex, name=f"task-{ok}", **values)
    async_task("sync.tasks.run_record", 1)


def logs() -> None:
    LogEntry.objects.create(
        timestamp=timezone.now(), level="error", module="sync", message="sync_ended", traceback="x"
    )


def api_token(name: str = "backup script") -> ApiToken:
    user = User.objects.first()
    in_a_week = timezone.now() + timedelta(days=7)
    return ApiToken.objects.issue(user, name, ApiToken.Scope.READ, in_a_week)[0]


def notifications(name: str = "dba-team") -> None:
    """A rule that found something, and the message about it."""
    now = timezone.now()
    url = f"https://hooks.example.org/{SECRET}"
    channel = Channel.objects.create(name=name, kind="webhook", url=url, secret=SECRET)
    rule = Rule.objects.create(name=name, kind="job_failed")
    rule.channels.add(channel)
    data = {"job": "sync_accounts", "error": "store away", "severity": "high"}
    alert = Alert.objects.create(rule=rule, key="task:x", data=data, found_at=now, told_at=now)
    Delivery.objects.create(channel=channel, notices=[alert.notice(now)])


def wrong_passwords() -> None:
    AccessAttempt.objects.create(
        username="mallory", ip_address="192.0.2.7", user_agent="", failures_since_start=9
    )


def classified(account: InstanceAccount) -> None:
    """A classification with a rule, given to the account."""
    classification, _made = AccountClassification.objects.get_or_create(
        name="house_superusers", defaults={"risk_level": "critical", "priority": 999}
    )
    rule, _made = ClassificationRule.objects.get_or_create(
        db_type=account.db_type,
        rule_name="house superusers",
        defaults={
            "classification": classification,
            "rule_expression": '{"version": 4, "expr": {"fn": "is_superuser"}}',
        },
    )
    AccountClassificationAssignment.objects.create(
        account=account.permission,
        classification=classification,
        rule=rule,
        evidence={"rules": [{"rule": rule.pk, "tokens": ["cap:SUPERUSER"]}]},
        assigned_at=timezone.now(),
    )


def accepted(account: InstanceAccount) -> RiskException:
    """The risk of the account's classification, accepted for today."""
    return RiskException.objects.create(
        account=account,
        classification=account.permission.assignments.get().classification,
        reason="moves this week",
        approver="Vera",
        ends_on=timezone.now().date(),
    )
