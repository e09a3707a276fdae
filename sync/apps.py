from typing import Any

from django.apps import AppConfig
from django.apps import apps as registry
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


def create_schedules(apps: Any = registry, **kwargs: Any) -> None:
    try:
        apps.get_model("django_q", "Schedule")
    except LookupError:  # `migrate sync` alone, before the queue's tables
        return
    from sync import jobs

    jobs.create_schedules()


class SyncConfig(AppConfig):
    name = "sync"
    verbose_name = _("Synchronisation")

    def ready(self) -> None:
        # After each migrate rather than in a migration: a job that a later version brings is made
        # the same way, and a flushed test database has its schedules again.
        post_migrate.connect(create_schedules, sender=self)
