"""Adds to the page of an account what every rule says about it, on demand."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path

from accounts.models import AccountPermission
from classification.explain import explain_all


class ExplainedAccounts:
    """A mixin for the admin of accounts."""

    def get_urls(self) -> list[Any]:
        view: Any = self.admin_site.admin_view(self.explain_view)  # type: ignore[attr-defined]
        name = "accounts_instanceaccount_explain"
        return [path("<int:pk>/explain/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def explain_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A part of a page: the verdict of each rule with its grounds and what to revoke."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        found = AccountPermission.objects.select_related("account")
        permission = get_object_or_404(found, account=pk)
        told = explain_all(permission)
        context = {
            "explained": [each for each in told if each["verdict"] != "false"],
            "unmatched": [each for each in told if each["verdict"] == "false"],
        }
        return render(request, "classification/explained.html", context)
