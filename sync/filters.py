"""What the list of sessions can be narrowed by."""

from __future__ import annotations

import django_filters

from sync.models import SyncCategory, SyncSession, SyncType
from whalefall.filters import ChoiceFilter


class SessionFilter(django_filters.FilterSet):
    sync_type = ChoiceFilter(choices=SyncType.choices)
    sync_category = ChoiceFilter(choices=SyncCategory.choices)
    status = ChoiceFilter(choices=SyncSession.Status.choices)

    class Meta:
        model = SyncSession
        fields: tuple[str, ...] = ()
