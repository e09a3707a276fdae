"""People of this system, and its log. Accounts on watched servers are
`accounts.InstanceAccount`.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KT
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person who uses WhaleFall. Roles are groups: viewer, operator, administrator.

    `language` (a code of LANGUAGES) and `time_zone` (a name of the tz database) are empty until
    the person chooses: then the browser's language and the zone of the system hold.
    """

    language = models.CharField(_("language"), max_length=10, blank=True, default="")
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, default="")

    class Meta:
        db_table = "users"
        verbose_name = _("user")
        verbose_name_plural = _("users")


class Login(AbstractBaseSession):
    """A session of somebody who is logged in, or of a browser that is not (without a `user`).

    `public_id` names it in lists: who knows the key itself is logged in.
    """

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="logins")
    # Not unique: while a session gets another key there are two rows of one login.
    public_id = models.UUIDField(null=True)
    address = models.GenericIPAddressField(_("address"), null=True)
    agent = models.CharField(_("browser"), max_length=200, blank=True)
    began_at = models.DateTimeField(_("began"), null=True)
    seen_at = models.DateTimeField(_("last seen"), null=True)

    class Meta:
        db_table = "logins"
        verbose_name = _("login")
        verbose_name_plural = _("logins")


class ExternalIdentity(models.Model):
    """Who a person is at the provider they sign in with: what binds them, whatever they are called.

    `subject` is `issuer|sub` for OpenID Connect, the entry's unique id (or its DN) for LDAP.
    """

    class Source(models.TextChoices):
        OIDC = "oidc", _("single sign-on")
        LDAP = "ldap", _("directory")

    user = models.ForeignKey(
        User, models.CASCADE, related_name="identities", verbose_name=_("person")
    )
    source = models.CharField(_("source"), max_length=4, choices=Source.choices)
    subject = models.CharField(_("subject"), max_length=500)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        db_table = "external_identities"
        verbose_name = _("identity")
        verbose_name_plural = _("identities")
        constraints = (
            models.UniqueConstraint(fields=("source", "subject"), name="identity_of_one_person"),
        )

    def __str__(self) -> str:
        return f"{self.source}: {self.subject}"


class RateCount(models.Model):
    """How often somebody did something within the window at hand (`whalefall.rates`).

    The table is unlogged: what a crash of the store forgets are some tries.
    """

    key = models.CharField(primary_key=True, max_length=200)
    hits = models.PositiveIntegerField()
    ends_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "rate_counts"

    def __str__(self) -> str:
        return self.key


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def live(self) -> ApiTokenQuerySet:
        """Neither revoked nor expired, of people who may still come in."""
        now = timezone.now()
        return self.filter(revoked_at=None, expires_at__gt=now, user__is_active=True)

    def issue(self, user: Any, name: str, scope: str, expires_at: datetime) -> tuple[ApiToken, str]:
        """A new token and its text, which is stored nowhere: this is the only time to show it."""
        prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        text = f"wf_{prefix}_{secret}"
        token = self.create(
            user=user,
            name=name,
            scope=scope,
            expires_at=expires_at,
            prefix=prefix,
            digest=_digest(text),
        )
        return token, text

    def find(self, text: str) -> ApiToken | None:
        """The live token with this text."""
        if not text.isascii() or "\0" in text:
            return None
        prefix = text.removeprefix("wf_")[:12]
        token = self.live().select_related("user").filter(prefix=prefix).first()
        if token and constant_time_compare(token.digest, _digest(text)):
            return token
        return None


class ApiToken(models.Model):
    """What a program logs in with, in the name of a person."""

    class Scope(models.TextChoices):
        READ = "read", _("read only")
        FULL = "full", _("full")

    user = models.ForeignKey(
        User, models.CASCADE, related_name="api_tokens", verbose_name=_("person")
    )
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("begins with"), max_length=12, unique=True)
    # A plain hash is enough: 256 random bits cannot be guessed, as a password can.
    digest = models.CharField(max_length=64)
    scope = models.CharField(_("scope"), max_length=4, choices=Scope.choices, default=Scope.READ)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"))
    last_used_at = models.DateTimeField(_("last used"), null=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        db_table = "api_tokens"
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.name} (wf_{self.prefix}…)"

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()

    def used(self) -> None:
        """Remember that it was used, to the minute: not every request is worth a write."""
        now = timezone.now()
        old = Q(last_used_at=None) | Q(last_used_at__lt=now - timedelta(minutes=1))
        if self.last_used_at is None or self.last_used_at < now - timedelta(minutes=1):
            ApiToken.objects.filter(old, pk=self.pk).update(last_used_at=now)

    def revoke(self) -> bool:
        """End it now. False when it was revoked before."""
        live = ApiToken.objects.filter(pk=self.pk, revoked_at=None)
        return bool(live.update(revoked_at=timezone.now()))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class LogEntryQuerySet(models.QuerySet["LogEntry"]):
    def about(self, key: str, value: str) -> LogEntryQuerySet:
        """Lines whose context has `value` at `request_id` or `session_id`, by index."""
        return self.annotate(found=KT(f"context__{key}")).filter(found=value)


class LogEntry(models.Model):
    """One line of the structured log, kept for the search page."""

    timestamp = models.DateTimeField(_("time"), db_index=True)
    level = models.CharField(_("level"), max_length=10)
    module = models.CharField(_("module"), max_length=100)
    message = models.TextField(_("message"))
    traceback = models.TextField(_("traceback"), blank=True)
    context = models.JSONField(_("context"), default=dict)

    objects = LogEntryQuerySet.as_manager()

    class Meta:
        db_table = "unified_logs"
        verbose_name = _("log entry")
        verbose_name_plural = _("log entries")
        ordering = ("-timestamp", "-id")
        indexes = (
            models.Index(fields=("level", "-timestamp"), name="log_level_time"),
            models.Index(KT("context__request_id"), name="log_request"),
            models.Index(KT("context__session_id"), name="log_session"),
        )

    def __str__(self) -> str:
        return f"{self.timestamp:%F %T} {self.level} {self.message[:80]}"


class AuditEntry(models.Model):
    """What a person did, or looked at where looking matters. Never a value, let alone a secret.

    For a command, the person is the user of the operating system, and the status is its exit code;
    for a job, it is the job's name.
    """

    class Result(models.TextChoices):
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")
        FAILED = "failed", _("failed")

    time = models.DateTimeField(_("time"), default=timezone.now, db_index=True)
    user = models.ForeignKey(User, models.SET_NULL, null=True, verbose_name=_("person"))
    # Stays when the person is deleted.
    username = models.CharField(_("user name"), max_length=150)
    token = models.CharField(_("API token"), max_length=12, blank=True)
    address = models.GenericIPAddressField(_("address"), null=True)
    via = models.CharField(
        max_length=10,
        choices=(
            ("api", _("API")),
            ("admin", _("console")),
            ("command", _("command")),
            ("job", _("job")),
        ),
    )
    action = models.CharField(_("action"), max_length=100)
    object_type = models.CharField(_("kind"), max_length=100, blank=True)
    object_id = models.CharField(_("id"), max_length=100, blank=True)
    object_name = models.CharField(_("object"), max_length=200, blank=True)
    details = models.JSONField(_("details"), default=dict)
    result = models.CharField(_("result"), max_length=10, choices=Result.choices)
    status = models.PositiveSmallIntegerField(_("HTTP status or exit code"))
    request_id = models.CharField(_("request"), max_length=32, db_index=True)

    class Meta:
        db_table = "audit_log"
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        ordering = ("-time", "-id")
        indexes = (models.Index(fields=("user", "-time"), name="audit_user_time"),)

    def __str__(self) -> str:
        return f"{self.username} {self.action} {self.object_name or self.object_id}".strip()


class SavedView(models.Model):
    """A list of the console as somebody wants to see it again: `query` is that of its address."""

    owner = models.ForeignKey(User, models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=100)
    name = models.CharField(_("name"), max_length=100)
    query = models.CharField(max_length=2000, blank=True)
    is_shared = models.BooleanField(_("for everybody"), default=False)

    class Meta:
        db_table = "saved_views"
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(fields=("owner", "page", "name"), name="saved_view_unique"),
        )
        indexes = (models.Index(fields=("page",), name="saved_view_page"),)

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        """The list with its filters."""
        start = reverse(f"admin:{self.page}_changelist")
        return f"{start}?{self.query}" if self.query else start
