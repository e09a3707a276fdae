"""The project's own app (people, log) and the admin site that all apps register with."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.backends.signals import connection_created
from django.utils.translation import gettext_lazy as _


class WhaleFallConfig(AppConfig):
    name = "whalefall"
    label = "whalefall"
    verbose_name = _("People and logs")

    def ready(self) -> None:
        from whalefall import audit, log_store, schema  # noqa: F401 - schema registers extensions

        audit.listen()
        connection_created.connect(log_store.store_is_in_use)


class WhaleFallAdminConfig(AdminConfig):
    default_site = "whalefall.console.site.WhaleFallAdminSite"
