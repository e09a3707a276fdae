"""Watched servers and the credentials used to read them."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from whalefall.engines import DB_TYPES, engine
from whalefall.engines.base import Engine, Target
from whalefall.instances.encryption import EncryptedTextField

DB_TYPE_CHOICES = list(DB_TYPES.items())


class Credential(models.Model):
    """A login on watched servers. The password goes in and never comes out."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    db_type = models.CharField(_("engine"), max_length=20, choices=DB_TYPE_CHOICES, blank=True)
    username = models.CharField(_("user name"), max_length=128)
    password = EncryptedTextField(_("password"))
    description = models.CharField(_("description"), max_length=500, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        db_table = "credentials"
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class InstanceQuerySet(models.QuerySet["Instance"]):
    def present(self) -> Self:
        """Without those in the recycle bin."""
        return self.filter(deleted_at=None)

    def watched(self) -> Self:
        """Those that are to be synchronised."""
        return self.present().filter(is_active=True)

    def statistics(self) -> dict[str, Any]:
        """Counts by state, and per engine without the recycle bin, in two statements."""
        there, active = models.Q(deleted_at=None), models.Q(deleted_at=None, is_active=True)
        counts: dict[str, Any] = self.aggregate(
            total=models.Count("pk", filter=there),
            active=models.Count("pk", filter=active),
            deleted=models.Count("pk", filter=~there),
            never_connected=models.Count("pk", filter=there & models.Q(last_connected_at=None)),
        )
        per_engine = self.present().order_by("db_type").values("db_type")
        counts["inactive"] = counts["total"] - counts["active"]
        counts["db_types"] = list(
            per_engine.annotate(total=models.Count("pk"), active=models.Count("pk", filter=active))
        )
        return counts


class Instance(models.Model):
    """One server endpoint. Deleting puts it into the recycle bin (`deleted_at`)."""

    class TLS(models.TextChoices):
        OFF = "off", _("off")
        REQUIRE = "require", _("require, without check of the certificate")
        VERIFY_CA = "verify-ca", _("check the certificate")
        VERIFY_FULL = "verify-full", _("check the certificate and its host name")

    name = models.CharField(_("name"), max_length=100, unique=True)
    db_type = models.CharField(_("engine"), max_length=20, choices=DB_TYPE_CHOICES)
    host = models.CharField(_("host"), max_length=255)
    port = models.PositiveIntegerField(
        _("port"), validators=(MinValueValidator(1), MaxValueValidator(65535))
    )
    database_name = models.CharField(
        _("database or service"), max_length=128, blank=True, help_text=_("To connect to.")
    )
    credential = models.ForeignKey(
        Credential, models.PROTECT, null=True, blank=True, related_name="instances"
    )
    tls_mode = models.CharField(_("TLS"), max_length=20, choices=TLS, default=TLS.REQUIRE)
    tls_ca = models.TextField(
        _("CA certificate"), blank=True, help_text=_("PEM text of the authority to trust.")
    )
    environment = models.CharField(_("environment"), max_length=50, blank=True)
    description = models.CharField(_("description"), max_length=500, blank=True)
    capacity_limit_bytes = models.BigIntegerField(
        _("capacity limit (bytes)"),
        null=True,
        blank=True,
        validators=(MinValueValidator(1),),
        help_text=_("What its volume holds: forecasts say when its databases will fill it."),
    )
    version = models.CharField(_("version"), max_length=255, blank=True, editable=False)
    main_version = models.CharField(_("main version"), max_length=20, blank=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)
    last_connected_at = models.DateTimeField(
        _("last connected"), null=True, blank=True, editable=False
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = InstanceQuerySet.as_manager()

    class Meta:
        db_table = "instances"
        verbose_name = _("instance")
        verbose_name_plural = _("instances")
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=("db_type", "host", "port", "database_name"),
                condition=models.Q(deleted_at=None),
                name="instance_endpoint_unique",
                violation_error_message=_("This endpoint is already registered."),
            ),
        )
        indexes = (models.Index(fields=("db_type", "is_active"), name="instance_type_active"),)

    def __str__(self) -> str:
        return self.name

    @property
    def engine(self) -> Engine:
        return engine(self.db_type)

    def target(self) -> Target:
        """Where and as whom to connect. Raises ValueError when no active credential is set."""
        if self.credential is None or not self.credential.is_active:
            raise ValueError(_("Instance %(name)s has no active credential.") % {"name": self.name})
        return Target(
            host=self.host,
            port=self.port,
            username=self.credential.username,
            password=self.credential.password,
            database=self.database_name,
            tls_mode=self.tls_mode,
            tls_ca=self.tls_ca,
            connect_timeout=settings.CONNECT_TIMEOUT,
            statement_timeout=settings.STATEMENT_TIMEOUT,
        )

    def connected(self, version: str, main_version: str) -> None:
        """Remember that its server answered just now, and as what."""
        self.version, self.main_version = version[:255], main_version[:20]
        self.last_connected_at = timezone.now()
        # `updated_at` is left alone: nobody edited it.
        self.save(update_fields=("version", "main_version", "last_connected_at"))

    def recycle(self) -> None:
        """Into the recycle bin: watched no more, history kept."""
        self.deleted_at = timezone.now()
        self.save(update_fields=("deleted_at", "updated_at"))

    def restore(self) -> None:
        """Out of the recycle bin. Raises ValidationError when its endpoint is taken by now."""
        self.deleted_at = None
        self.validate_constraints()
        self.save(update_fields=("deleted_at", "updated_at"))
