"""The tables of the start page: what happens, what is risky, what is full, what was not read."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from capacity import trend
from capacity.models import InstanceOutlook
from classification import daily
from classification.admin.badges import risk_badge
from classification.models import RiskLevel
from sync.admin.parts import progress_bar
from sync.admin.start import counted, difference, grouped
from sync.dashboard import newest, sizes, state
from sync.dashboard.glance import Glance
from sync.models import SyncCategory
from whalefall.auth import has_right
from whalefall.console import show
from whalefall.console.cards import Panel, list_url, live_panels, panels
from whalefall.console.pages import change_url
from whalefall.engines import DB_TYPES
from whalefall.section_names import section_name
from whalefall.words import said

DAYS = 30
NAMES_SHOWN = 3
WHAT_SHOWN = 90
GAPS_SHOWN = 8
REMEDIES_SHOWN = 2


@live_panels(10)
def running(request: HttpRequest) -> list[Panel]:
    """Sessions as they go on; with none running, the last ones."""
    sessions = Glance.of(request).running
    rows = [
        [
            show.link(change_url(session), show.ago(session.started_at)),
            session.get_sync_category_display(),
            show.state(session.status, session.get_status_display()),
            progress_bar(session),
        ]
        for session in sessions or newest.sessions()
    ]
    return [
        Panel(
            _("Running sessions") if sessions else _("Latest sessions"),
            [_("Started"), _("Category"), _("State"), _("Instances")],
            rows,
            list_url("sync_syncsession"),
            _("Nothing has been synchronised yet: choose instances, then Synchronise accounts."),
            is_moving=bool(sessions),
        )
    ]


@live_panels(20)
def failing(request: HttpRequest) -> list[Panel]:
    may_retry = has_right(request.user, "operate")
    rows = [
        [
            format_html("{}<br><small>{}</small>", cause.label, _category(cause)),
            show.link(_failing_url(cause), grouped(cause.instances)),
            format_html("{}<br><small>{}</small>", _names(cause.names), said(cause.example)),
            _retry(request, cause) if may_retry else "",
        ]
        for cause in state.causes(Glance.of(request).failed)
    ]
    return [
        Panel(
            _("Failing syncs by cause"),
            [_("Cause"), _("Instances"), _("Which"), ""],
            rows,
            list_url("sync_syncinstancerecord", failing="1"),
            _("No sync fails."),
            numeric=(1,),
        )
    ]


def _category(cause: state.Cause) -> Any:
    return SyncCategory(cause.category).label


def _failing_url(cause: state.Cause) -> str:
    chosen = {"failing": cause.category, "cause": cause.kind or "none"}
    return list_url("sync_syncinstancerecord", **chosen)


def _names(names: list[str]) -> str:
    more = len(names) - NAMES_SHOWN
    shown = ", ".join(sorted(names)[:NAMES_SHOWN])
    if more <= 0:
        return shown
    words = ngettext("%(names)s and %(n)d more", "%(names)s and %(n)d more", more)
    return words % {"names": shown, "n": more}


def _retry(request: HttpRequest, cause: state.Cause) -> SafeString:
    return format_html(
        '<form method="post" action="{}"><input type="hidden" name="csrfmiddlewaretoken" '
        'value="{}"><input type="hidden" name="category" value="{}"><input type="hidden" '
        'name="cause" value="{}"><button class="wf-button" type="submit" aria-label="{}">{}'
        "</button></form>",
        reverse("admin:sync_syncinstancerecord_retry"),
        get_token(request),
        cause.category,
        cause.kind,
        _t("Retry: %(cause)s") % {"cause": cause.label},
        _("Retry"),
    )


@panels(10)
def by_risk(request: HttpRequest) -> list[Panel]:
    found, then = Glance.of(request).numbers, Glance.of(request).earlier
    curves = {curve["key"]: curve["points"] for curve in daily.curves("risk", DAYS)}
    rows = []
    for level in RiskLevel:
        number, before = found.at(level.value), then[level.value]
        points = [point["accounts"] for point in curves.get(level.value, ())]
        url = list_url("accounts_instanceaccount", risk=level.value)
        rows.append(
            [
                show.state(level.value, level.label),
                show.link(url, grouped(number)),
                difference(number, before.yesterday),
                difference(number, before.last_week),
                _curve([*points, number]),
            ]
        )
    return [
        Panel(
            _("Accounts by risk"),
            [
                _("Risk"),
                _("Accounts"),
                _("Since yesterday"),
                _("Since last week"),
                _t("%(n)d days") % {"n": DAYS},
            ],
            rows,
            list_url("accounts_instanceaccount"),
            numeric=(1, 2, 3),
            note=counted(found),
        )
    ]


def _curve(points: list[int]) -> SafeString | str:
    """A small line of the last days; decoration beside the numbers."""
    if len(points) < 3:
        return show.EMPTY
    low, high = min(points), max(points)
    step, height = 100 / (len(points) - 1), (high - low) or 1
    line = " ".join(
        f"{at * step:.1f},{22 - 20 * (each - low) / height:.1f}" for at, each in enumerate(points)
    )
    return format_html(
        '<svg class="wf-spark" viewBox="0 0 100 24" aria-hidden="true" '
        'preserveAspectRatio="none"><polyline points="{}"/></svg>',
        line,
    )


@panels(20)
def by_engine(request: HttpRequest) -> list[Panel]:
    def number(engine: state.Engine, value: int, **chosen: Any) -> Any:
        return show.link(_instances(engine, **chosen), value) if value else show.EMPTY

    accounts = Glance.of(request).numbers.engines
    rows = [
        [
            engine.label,
            number(engine, engine.watched, state="active"),
            number(engine, engine.failing, sync="failing"),
            number(engine, engine.never, state="active", sync="never"),
            number(engine, engine.paused, state="paused"),
            show.link(
                list_url("accounts_instanceaccount", db_type__exact=engine.db_type),
                grouped(accounts.get(engine.db_type, 0)),
            ),
        ]
        for engine in state.engines(Glance.of(request).failed)
    ]
    return [
        Panel(
            _("Instances by engine and state"),
            [
                _("Engine"),
                _("Watched"),
                _("Failing"),
                _("Never connected"),
                _("Paused"),
                _("Accounts"),
            ],
            rows,
            list_url("instances_instance"),
            _("No instance is registered yet: add one under Fleet, Instances."),
            numeric=(1, 2, 3, 4, 5),
            is_wide=True,
        )
    ]


def _instances(engine: state.Engine, **chosen: Any) -> str:
    return list_url("instances_instance", db_type__exact=engine.db_type, **chosen)


@panels(30)
def riskiest(request: HttpRequest) -> list[Panel]:
    rows = [
        [
            risk_badge(one.classification),
            show.link(change_url(one.account.account), one.account.account),
            show.link(change_url(one.account.instance), one.account.instance),
            one.classification,
            show.ago(one.assigned_at),
        ]
        for one in newest.risky()
    ]
    return [
        Panel(
            _("Newest risky accounts"),
            [_("Risk"), _("Account"), _("Instance"), _("Classification"), _("Since")],
            rows,
            list_url("accounts_instanceaccount", risk=RiskLevel.CRITICAL.value),
            _("Nothing is classified as critical or high."),
            is_wide=True,
        )
    ]


@panels(40)
def latest_changes(request: HttpRequest) -> list[Panel]:
    rows = [
        [
            show.link(change_url(change), show.ago(change.change_time)),
            show.state(change.change_type, change.get_change_type_display()),
            show.link(change_url(change.account), change.account),
            show.link(change_url(change.instance), change.instance),
            said(Truncator(change.message).chars(WHAT_SHOWN)) or show.EMPTY,
        ]
        for change in newest.changes()
    ]
    return [
        Panel(
            _("Latest changes"),
            [_("When"), _("Change"), _("Account"), _("Instance"), _("What")],
            rows,
            list_url("accounts_accountchangelog"),
            _("No account has changed yet."),
            is_wide=True,
        )
    ]


@panels(15)
def full_soonest(request: HttpRequest) -> list[Panel]:
    rows = [
        [
            show.link(change_url(outlook.instance), outlook.instance),
            show.size(outlook.last_bytes),
            "" if outlook.growth_per_day is None else trend.signed(outlook.growth_per_day),
            show.size(outlook.limit_bytes, _t("No limit is set on the instance.")),
            _full(outlook),
        ]
        for outlook in sizes.soonest()
    ]
    return [
        Panel(
            _("Full soonest"),
            [_("Instance"), _("Size"), _("A day"), _("Limit"), _("Full")],
            rows,
            list_url("instances_instance"),
            _("No growth is known yet: it takes two weeks of measured sizes."),
            numeric=(1, 2, 3),
        )
    ]


def _full(outlook: InstanceOutlook) -> Any:
    if outlook.days_to_full is None:
        return show.EMPTY
    tone = "danger" if outlook.days_to_full <= DAYS else "warning"
    words = ngettext("in %(n)d day", "in %(n)d days", outlook.days_to_full)
    text = words % {"n": outlook.days_to_full}
    return show.badge(text, tone if outlook.days_to_full <= sizes.SOON else "neutral")


@panels(60)
def coverage(request: HttpRequest) -> list[Panel]:
    found = state.coverage()
    rows = [
        [
            format_html(
                '<span class="wf-part">{}</span><small>{}</small>',
                _sections(alike),
                DB_TYPES[gap.db_type],
            ),
            show.link(
                list_url("instances_instance", coverage=f"{gap.db_type}:{gap.section}"),
                len(gap.instances),
            ),
            _remedy(gap),
        ]
        for gap, alike in _alike(found.gaps)[:GAPS_SHOWN]
    ]
    note = format_html(
        "{}: {} · {}: {} · {}: {}",
        *(_("read in full"), _covered(found.full, "full")),
        *(_("in part"), _covered(found.partial, "partial")),
        *(_("never"), _covered(found.never, "never")),
    )
    return [
        Panel(
            _("What could not be read"),
            [_("Part"), _("Instances"), _("What mends it")],
            rows,
            list_url("instances_instance", coverage="partial"),
            _("Everything that was asked for could be read."),
            numeric=(1,),
            note=note,
            is_wide=True,
        )
    ]


def _alike(gaps: list[state.Gap]) -> list[tuple[state.Gap, list[str]]]:
    """Gaps of the same instances for the same reason stand together: a database that is away is
    missing in ten parts.
    """
    found: dict[tuple[Any, ...], tuple[state.Gap, list[str]]] = {}
    for gap in gaps:
        reason = (gap.db_type, tuple(gap.instances), tuple(gap.remedies), tuple(gap.messages))
        found.setdefault(reason, (gap, []))[1].append(gap.section)
    return list(found.values())


def _sections(names: list[str]) -> str:
    return ", ".join(sorted(map(section_name, names)))


def _covered(number: int, which: str) -> Any:
    return show.link(list_url("instances_instance", coverage=which), number)


def _remedy(gap: state.Gap) -> SafeString:
    """What to run there; where nothing is known, what the server said."""
    told = [format_html('<code class="wf-mono">{}</code>', said(text)) for text in gap.remedies]
    told = told or [format_html("{}", said(text)) for text in gap.messages]
    more = len(told) - REMEDIES_SHOWN
    shown = told[:REMEDIES_SHOWN] + ([format_html("+{}", more)] if more > 0 else [])
    lines = format_html_join("", "{}<br>", ((text,) for text in shown))
    return format_html("{}<small>{}</small>", lines, _names(gap.names))
