"""Accounts and their changes on the start page."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, F, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import tokens
from accounts.models import AccountChangeLog, InstanceAccount
from whalefall.console import show
from whalefall.console.cards import Card, Panel, cards, list_url, panels
from whalefall.console.pages import change_url


@cards(20)
def account_numbers(request: HttpRequest) -> list[Card]:
    """As the list shows them: present, the product's own left out."""
    present = InstanceAccount.objects.present().shown()
    number = present.aggregate(accounts=Count("pk"), kinds=Count("pk", filter=~Q(kind="user")))
    # By the token index: the column would have to be read from every wide row.
    superuser = [tokens.capability("SUPERUSER")]
    superusers = present.filter(permission__fact_tokens__contains=superuser).count()
    since = timezone.now() - timedelta(days=1)
    changes = AccountChangeLog.objects.filter(change_time__gte=since).count()
    return [
        Card(
            _("Accounts"),
            number["accounts"],
            list_url("accounts_instanceaccount"),
            "person_search",
            _("%(n)d of them roles and groups") % {"n": number["kinds"]},
        ),
        Card(
            _("Superusers"),
            superusers,
            list_url("accounts_instanceaccount", superuser="1"),
            "shield_person",
            tone="danger" if superusers else "",
        ),
        Card(
            _("Changes"),
            changes,
            list_url(
                "accounts_accountchangelog",
                change_time_from_0=timezone.localdate(since).isoformat(),
                change_time_from_1=timezone.localtime(since).strftime("%H:%M:%S"),
            ),
            "published_with_changes",
            _("in the last 24 hours"),
        ),
    ]


@panels(20)
def latest_changes(request: HttpRequest) -> list[Panel]:
    latest = (
        AccountChangeLog.objects.select_related("account", "instance")
        .defer("privilege_diff", "other_diff")
        .order_by(F("change_time").desc(), "-id")[:8]
    )
    rows = [
        [
            show.ago(change.change_time),
            show.state(change.change_type, change.get_change_type_display()),
            show.link(change_url(change.account), change.account),
            change.instance,
        ]
        for change in latest
    ]
    return [
        Panel(
            _("Latest changes"),
            [_("When"), _("Change"), _("Account"), _("Instance")],
            rows,
            list_url("accounts_accountchangelog"),
            _("No account has changed yet."),
        )
    ]
