from typing import Any

from django.apps import AppConfig
from django.apps import apps as registry
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


def create_schedules(apps: Any = registry, **kwargs: Any) -> None:
    try:
        apps.get_model("django_q", "Schedule")
    except LookupError:  # `migrate sync` alone, before the queue's tables
        return
    from sync import jobs

    jobs.create_schedules()


def notice_dead_machines(connection: Any, **kwargs: Any) -> None:
    """Let the store give up the locks of a worker whose machine vanished within a minute: unasked,
    it takes two hours to find out. Over a socket on the same machine it knows at once.
    """
    host = connection.settings_dict["HOST"]
    if host and not host.startswith("/"):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('tcp_keepalives_idle', '30', false),"
                " set_config('tcp_keepalives_interval', '10', false),"
                " set_config('tcp_keepalives_count', '3', false)"
            )


class SyncConfig(AppConfig):
    name = "sync"
    verbose_name = _("Synchronisation")

    def ready(self) -> None:
        # After each migrate rather than in a migration: a job that a later version brings is made
        # the same way, and a flushed test database has its schedules again.
        post_migrate.connect(create_schedules, sender=self)
        connection_created.connect(notice_dead_machines)

        from sync import double_hours

        double_hours.mend()
