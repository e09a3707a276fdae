"""What the demo came to show. CI runs it, so that a demo that shows less fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from accounts.models import AccountChangeLog, AccountPermission, InstanceAccount
from classification.models import AccountClassificationAssignment
from demo import show
from demo.servers import Watched
from sync.models import SyncSession

Change = AccountPermission.ChangeType


@dataclass(frozen=True)
class Expected:
    """The named cast of one server: `service` has `capability` only through the roles `path`."""

    accounts: int
    service: str
    capability: str
    path: tuple[str, ...]
    granted: str
    revoked: str
    new: str
    dropped: str


CAST = {
    "shop-db": Expected(
        accounts=30,
        service="svc_invoice_mail@10.20.30.40",
        capability="SUPERUSER",
        path=("reporting_team", "platform_ops", "emergency_dba"),
        granted="shop_api@10.20.%",
        revoked="svc_etl@10.24.%",
        new="intern_jo@%",
        dropped="contractor_2019@%",
    ),
    "erp-db": Expected(
        accounts=90,
        service="svc_metrics",
        capability="SUPERUSER",
        path=("monitoring", "platform_ops", "sysadmin"),
        granted="svc_erp",
        revoked="svc_etl@erp",
        new="intern_jo",
        dropped="contractor_2019",
    ),
    "payroll-db": Expected(
        accounts=40,
        service="SVC_EXPORT",
        capability="SUPERUSER",
        path=("REPORTING_TEAM", "PLATFORM_OPS", "DBA"),
        granted="PAYROLL_APP",
        revoked="SVC_ETL",
        new="INTERN_JO",
        dropped="CONTRACTOR_2019",
    ),
    "billing-db": Expected(
        accounts=28,
        service="svc_metrics",
        capability="PROGRAM_EXECUTION",
        path=("observability", "platform_ops", "break_glass"),
        granted="billing_app",
        revoked="svc_etl",
        new="intern_jo",
        dropped="auditor",
    ),
}


def problems(servers: Sequence[Watched], first: SyncSession, second: SyncSession) -> list[str]:
    """What is missing, one line each; [] when the demo showed all of it."""
    found = [*_sessions(servers, first), *_sessions(servers, second)]
    for server in servers:
        cast = CAST[server.instance]
        found += _risks(server.instance, cast)
        found += _changes(server.instance, cast, show.log(second))
    return found


def _sessions(servers: Sequence[Watched], session: SyncSession) -> Iterator[str]:
    session.refresh_from_db()
    if session.status != SyncSession.Status.COMPLETED:
        yield f"session {session} is {session.status}"
    if session.successful_instances != len(servers):
        yield f"session {session} read {session.successful_instances} of {len(servers)} servers"


def _risks(instance: str, cast: Expected) -> Iterator[str]:
    present = InstanceAccount.objects.filter(instance__name=instance, is_active=True)
    if present.count() < cast.accounts:
        yield f"{instance} has {present.count()} accounts, not {cast.accounts} or more"
    for username in (cast.service, cast.new):
        yield from _reached(instance, username, cast)
        given = AccountClassificationAssignment.objects.filter(
            account__instance__name=instance, account__account__username=username, is_active=True
        )
        if not given.filter(classification__risk_level="critical").exists():
            yield f"{username} on {instance} is not classified as critical"


def _reached(instance: str, username: str, cast: Expected) -> Iterator[str]:
    """The capability must be there, and through the roles; the service's whole path is known."""
    permission = AccountPermission.objects.filter(
        instance__name=instance, account__username=username
    ).first()
    reasons = permission.permission_facts["capability_reasons"] if permission else {}
    path = tuple(reasons.get(cast.capability, {}).get("path", ()))
    if cast.path[-1] not in path or (username == cast.service and path[:3] != cast.path):
        yield f"{username} on {instance} has {cast.capability} by {path}, not by {cast.path}"


def _changes(instance: str, cast: Expected, log: list[AccountChangeLog]) -> Iterator[str]:
    seen = {entry.account.username: entry for entry in log if entry.instance.name == instance}
    wanted = {
        cast.granted: (Change.MODIFY_PRIVILEGE, "GRANT"),
        cast.revoked: (Change.MODIFY_PRIVILEGE, "REVOKE"),
        # An earlier run knew the new one already: it comes back.
        cast.new: ((Change.ADD, Change.RESTORE), ""),
        cast.dropped: (Change.DELETE, ""),
    }
    for username, (kind, action) in wanted.items():
        entry = seen.get(username)
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if entry is None or entry.change_type not in kinds:
            what = entry.change_type if entry else "nothing"
            yield f"the change log says {what} about {username} on {instance}, not {kinds[0]}"
        elif action and action not in {each["action"] for each in entry.privilege_diff}:
            yield f"the change log has no {action} for {username} on {instance}"
