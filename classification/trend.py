"""How many accounts had a rule's classification, a classification, or a risk, day by day, as charts
on the pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from capacity.chart import Chart, Mark, chart
from capacity.trend import day_mark
from classification import daily
from classification.models import (
    AccountClassification,
    ClassificationRule,
    DailyCount,
    RiskLevel,
)

DAYS = 365
BEFORE = timedelta(days=30)

Points = Sequence[Mapping[str, Any]]


def of_rule(rule: ClassificationRule) -> SafeString:
    """Who had its classification by it."""
    label = _("Accounts by rule %(name)s, by day") % {"name": rule.rule_name}
    return _of_one(DailyCount.Kind.RULE, rule.pk, label)


def of_classification(classification: AccountClassification) -> SafeString:
    """Who had it."""
    label = _("Accounts with %(name)s, by day") % {"name": classification}
    return _of_one(DailyCount.Kind.CLASSIFICATION, classification.pk, label)


def _of_one(kind: str, key: int, label: str) -> SafeString:
    found = daily.curves(kind, DAYS, [str(key)])
    points: Points = found[0]["points"] if found else []
    accepted = _days(points, "accepted")
    lines = [("total", _("accounts"), _days(points, "accounts"))]
    if any(number for _day, number in accepted):
        lines.append(("accepted", _("of them accepted"), accepted))
    return _drawn(lines, label, _words(points))


def of_risks() -> SafeString:
    """How many accounts were at each risk: the highest that nobody accepted."""
    found = {each["key"]: each["points"] for each in daily.curves(DailyCount.Kind.RISK, DAYS)}
    labels = {level.value: str(level.label) for level in RiskLevel} | {"accepted": _("accepted")}
    lines = [
        (name, label, _days(found[name], "accounts"))
        for name, label in labels.items()
        if name in found
    ]
    return _drawn(lines, _("Accounts by their highest risk, by day"), "")


def _days(points: Points, name: str) -> list[tuple[date, int]]:
    return [(point["day"], point[name]) for point in points]


def _words(points: Points) -> str:
    """The last count, and what it was a month before."""
    if not points:
        return ""
    last = points[-1]
    count = ngettext("%(n)d account", "%(n)d accounts", last["accounts"])
    said = _("%(accounts)s on %(day)s") % {
        "accounts": count % {"n": last["accounts"]},
        "day": last["day"],
    }
    earlier = [point for point in points if point["day"] <= last["day"] - BEFORE]
    if earlier:
        change = last["accounts"] - earlier[-1]["accounts"]
        told = {"change": f"{change:+d}".replace("-", "−"), "day": earlier[-1]["day"]}
        said += _(", %(change)s since %(day)s") % told
    return f"{said}."


def _drawn(
    lines: Sequence[tuple[str, str, list[tuple[date, int]]]], label: str, words: str
) -> SafeString:
    """`lines`: the name of its style, what it is, its days; the first one sets the days shown."""
    others = [days for _style, _label, days in lines[1:]]
    drawn = chart(lines[0][2], others=others, unit=1000) if lines else None
    context: dict[str, Any] = {"label": label, "words": words, "chart": drawn}
    if drawn is not None:
        context |= _coordinates(drawn)
        texts = [drawn.line, *drawn.others]
        context["lines"] = [
            {"style": style, "label": name, "points": points, "last": days[-1][1]}
            for (style, name, days), points in zip(lines, texts, strict=True)
        ]
    return render_to_string("classification/trend.html", context)


def _coordinates(drawn: Chart) -> dict[str, Any]:
    """As text: a number would be written with the comma of the reader's language."""
    return {
        "counts": [_mark(mark) for mark in drawn.sizes],
        "days": [day_mark(mark) for mark in drawn.days],
        "dots": [(f"{x:.1f}", f"{y:.1f}") for x, y in drawn.dots],
    }


def _mark(mark: Mark) -> dict[str, str]:
    return {"at": f"{mark.at:.1f}", "text": str(mark.value)}
