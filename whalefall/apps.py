"""The project's own app (people, log) and the admin site that all apps register with."""

from typing import Any

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


def create_roles(sender: AppConfig, **kwargs: Any) -> None:
    """The roles are groups that have to be there, also after a flush."""
    from django.contrib.auth.models import Group

    from whalefall.auth import ROLES

    for name in ROLES:
        Group.objects.get_or_create(name=name)


class WhaleFallConfig(AppConfig):
    name = "whalefall"
    label = "whalefall"
    verbose_name = _("People and logs")

    def ready(self) -> None:
        from whalefall import (  # noqa: F401 - they register
            audit,
            big_lists,
            checks,
            idle,
            log_store,
            people,
            schema,
        )

        audit.listen()
        idle.listen()
        people.listen()
        post_migrate.connect(create_roles, sender=self)
        connection_created.connect(log_store.store_is_in_use)


class WhaleFallAdminConfig(AdminConfig):
    default_site = "whalefall.console.site.WhaleFallAdminSite"
