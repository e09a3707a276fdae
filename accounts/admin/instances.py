"""What the pages of instances say about their accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import account_page
from accounts.models import AccountPermission, InstanceAccount
from accounts.snapshot import Json
from whalefall.console import show
from whalefall.console.asking import Consequences
from whalefall.console.cards import list_url
from whalefall.console.pages import extend
from whalefall.instances.models import Instance


@extend(Instance)
class InstancesWithAccounts:
    """The number of accounts in the list of instances; what could be read, on the page of one."""

    list_display = ("accounts",)
    page_top = ("accounts/coverage.html",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Instance]:
        counted = (
            InstanceAccount.objects.filter(
                instance=OuterRef("pk"), is_active=True, comes_with_product=False
            )  # as the list behind the number shows them
            .order_by()
            .values("instance")
            .annotate(number=Count("pk"))
            .values("number")
        )
        number = Coalesce(Subquery(counted, output_field=IntegerField()), 0)
        return super().get_queryset(request).annotate(number_of_accounts=number)  # type: ignore[misc]

    @admin.display(description=_("accounts"), ordering="number_of_accounts")
    def accounts(self, instance: Any) -> Any:
        url = list_url("accounts_instanceaccount", instance__id__exact=instance.pk)
        return show.link(url, instance.number_of_accounts)

    def consequences(self, objs: Sequence[Any]) -> Consequences:
        """What is deleted of an instance goes to the recycle bin with all of its accounts."""
        found: Consequences = super().consequences(objs)  # type: ignore[misc]
        number = InstanceAccount.objects.filter(instance__in=objs, is_active=True).count()
        text = ngettext(
            "%(n)d account with its history; lists of accounts leave it out.",
            "%(n)d accounts with their history; lists of accounts leave them out.",
            number,
        )
        return replace(found, stays=(*found.stays, text % {"n": number}))

    def page_context(self, request: HttpRequest, instance: Instance) -> dict[str, Any]:
        context: dict[str, Any] = super().page_context(request, instance)  # type: ignore[misc]
        sections = _sections(instance)
        unread = account_page.unread({"sections": sections})
        return context | {
            "sections": len(sections),
            "complete": len(sections) - sum(len(each.names) for each in unread),
            "unread": unread,
        }


def _sections(instance: Instance) -> Json:
    """Of the last reading: each snapshot has them, those of one account are as good as any's."""
    there = AccountPermission.objects.filter(account__instance=instance, account__is_active=True)
    # By the index of accounts: the first row by primary key may be the millionth of the fleet.
    there = there.order_by("account__instance_id", "account__username")
    found: Json | None = there.values_list("permission_snapshot__sections", flat=True).first()
    return found or {}
