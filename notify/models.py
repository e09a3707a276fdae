"""Who is told (channels), of what (rules), what was found (alerts), and the messages on their way
(deliveries).

    delivery  waiting -> sending -> sent | failed | waiting (another try)
              sent, failed -> waiting (by a person)
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, Self
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, validate_email
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from classification.risks import LEVELS
from sync.models import SyncCategory
from tags.models import Tag
from whalefall.instances.encryption import EncryptedTextField

SHORTEST_SECRET = 16
ELSEWHERE = _("Give the password anew: it would go to another server, or as somebody else.")


class Channel(models.Model):
    """Where messages go. `url` (it holds the robot's token) and `secret` go in and never come out;
    `host` is the part of the address that may be shown.
    """

    class Kind(models.TextChoices):
        EMAIL = "email", _("e-mail")
        WEBHOOK = "webhook", _("webhook")
        DINGTALK = "dingtalk", _("DingTalk")
        FEISHU = "feishu", _("Feishu")
        WECOM = "wecom", _("WeCom")
        SLACK = "slack", _("Slack")

    class Security(models.TextChoices):
        STARTTLS = "starttls", _("STARTTLS")
        TLS = "tls", _("TLS from the start")
        NONE = "none", _("none")

    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    is_active = models.BooleanField(_("active"), default=True)
    language = models.CharField(
        _("language"), max_length=10, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE
    )
    digest_minutes = models.PositiveSmallIntegerField(
        _("collect for (minutes)"),
        default=0,
        validators=(MaxValueValidator(24 * 60),),
        help_text=_("What is found within this time goes out as one message; 0 sends at once."),
    )
    url = EncryptedTextField(_("address (URL)"), blank=True, default="")
    secret = EncryptedTextField(
        _("secret"),
        blank=True,
        default="",
        help_text=_("What messages are signed with; the password of a mail server."),
    )
    recipients = models.TextField(
        _("recipients"), blank=True, help_text=_("Mail addresses parted by commas.")
    )
    sender = models.EmailField(_("sender"), blank=True)
    host = models.CharField(_("mail server"), max_length=255, blank=True)
    port = models.PositiveIntegerField(
        _("port"), default=587, validators=(MinValueValidator(1), MaxValueValidator(65535))
    )
    security = models.CharField(
        _("encryption"), max_length=10, choices=Security, default=Security.STARTTLS
    )
    username = models.CharField(_("user name"), max_length=255, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        db_table = "notification_channels"
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def addresses(self) -> list[str]:
        """The recipients of an e-mail."""
        return [part.strip() for part in self.recipients.split(",") if part.strip()]

    @property
    def has_secret(self) -> bool:
        return bool(self.secret)

    def clean(self) -> None:
        """Raises ValidationError naming what this kind of channel lacks."""
        errors = self._mail_errors() if self.kind == self.Kind.EMAIL else self._url_errors()
        if errors:
            raise ValidationError(errors)
        if self.kind != self.Kind.EMAIL:
            self.host = (urlsplit(self.url).hostname or "")[:255]

    def _mail_errors(self) -> dict[str, str]:
        missing = _t("An e-mail channel needs this.")
        errors = {
            name: missing for name in ("recipients", "sender", "host") if not getattr(self, name)
        }
        for address in self.addresses:
            try:
                validate_email(address)
            except ValidationError:
                errors["recipients"] = _t("Not a mail address: %(text)s") % {"text": address}
        if self.username and not self.secret:
            errors["secret"] = _t("A user name of a mail server needs its password.")
        return errors

    def _url_errors(self) -> dict[str, str]:
        if message := _url_error(self.url):
            return {"url": message}
        if self.kind == self.Kind.WEBHOOK and len(self.secret) < SHORTEST_SECRET:
            message = _t("A webhook is signed: give a secret of at least %(n)d characters.")
            return {"secret": message % {"n": SHORTEST_SECRET}}
        return {}

    def sends_elsewhere_than(self, other: Channel) -> bool:
        """Whether a stored password would go to another mail server, or as somebody else."""
        names = ("kind", "host", "port", "security", "username")
        is_mail = Channel.Kind.EMAIL in (self.kind, other.kind)
        return is_mail and any(getattr(self, name) != getattr(other, name) for name in names)


def _url_error(url: str) -> str:
    """Why this is no address to send to; empty where it is one. Never repeats it."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
        parts = urlsplit("")
    if not usable or not url.isascii() or any(sign <= " " for sign in url):
        return _t("Give an address that begins with https:// and a host.")
    if parts.username is not None or parts.password is not None:
        return _t("The address must hold no user name or password.")
    return ""


class RuleQuerySet(models.QuerySet["Rule"]):
    def active(self) -> Self:
        return self.filter(is_active=True, channels__is_active=True).distinct()


class Rule(models.Model):
    """What is worth a message. Things from before its making are not told."""

    class Kind(models.TextChoices):
        NEW_ACCOUNT = "new_account", _("a new account of this risk or above")
        RISK_ROSE = "risk_rose", _("an account's risk rose to this or above")
        SESSION_FAILED = "session_failed", _("a session failed")
        INSTANCE_STALE = "instance_stale", _("no successful sync of an instance for days")
        JOB_MISSED = "job_missed", _("a job did not run")
        JOB_FAILED = "job_failed", _("a job failed")
        DAYS_TO_FULL = "days_to_full", _("days until an instance is full below a number")

    NEEDS_DAYS = frozenset((Kind.INSTANCE_STALE, Kind.DAYS_TO_FULL))
    OF_RISK = frozenset((Kind.NEW_ACCOUNT, Kind.RISK_ROSE))
    # What lasts is one alert while it lasts; the others are told once.
    LASTING = frozenset((Kind.INSTANCE_STALE, Kind.JOB_MISSED, Kind.DAYS_TO_FULL))

    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("when"), max_length=20, choices=Kind)
    is_active = models.BooleanField(_("active"), default=True)
    channels = models.ManyToManyField(
        Channel, related_name="rules", verbose_name=_("channels"), db_table="notification_routes"
    )
    risk_level = models.CharField(
        _("risk"),
        max_length=20,
        choices=[(level, level) for level in LEVELS],
        default="high",
        help_text=_("The least, where the rule is about risks."),
    )
    days = models.PositiveSmallIntegerField(
        _("days"),
        null=True,
        blank=True,
        validators=(MinValueValidator(1), MaxValueValidator(3650)),
        help_text=_("Where the rule is about days."),
    )
    sync_category = models.CharField(
        _("category"),
        max_length=20,
        choices=SyncCategory,
        blank=True,
        help_text=_("Of sessions; empty: accounts for days without a sync, else all."),
    )
    tags = models.ManyToManyField(
        Tag,
        blank=True,
        related_name="+",
        verbose_name=_("tags"),
        db_table="notification_rule_tags",
        help_text=_("Only about instances with one of these; empty: about all."),
    )
    remind_days = models.PositiveSmallIntegerField(
        _("remind after (days)"),
        default=0,
        validators=(MaxValueValidator(365),),
        help_text=_("Of what still lasts; 0 tells it once."),
    )
    checked_at = models.DateTimeField(_("last checked"), null=True, editable=False)
    last_error = models.TextField(_("last error"), blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = RuleQuerySet.as_manager()

    class Meta:
        db_table = "notification_rules"
        verbose_name = _("notification rule")
        verbose_name_plural = _("notification rules")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def lasts(self) -> bool:
        return self.kind in self.LASTING

    @property
    def risk_number(self) -> int:
        """The place of `risk_level` as `account_risks` holds it."""
        return LEVELS.index(self.risk_level) + 1

    def clean(self) -> None:
        if self.kind in self.NEEDS_DAYS and not self.days:
            raise ValidationError({"days": _t("This rule needs a number of days.")})


class Alert(models.Model):
    """One thing that a rule found. `key` tells it from the others: it is told once, and again only
    after it had ended (`closed_at`), or as a reminder.
    """

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="alerts", verbose_name=_("rule"))
    key = models.CharField(max_length=150)
    data = models.JSONField(_("details"), default=dict)
    found_at = models.DateTimeField(_("found"))
    told_at = models.DateTimeField(_("told"))
    closed_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        db_table = "notification_alerts"
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ("-found_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("rule", "key"), condition=Q(closed_at=None), name="alert_open_unique"
            ),
        )
        indexes = (models.Index(fields=("-found_at", "-id"), name="alert_found"),)

    def __str__(self) -> str:
        return f"{self.rule_id} {self.key}"

    def notice(self, now: datetime) -> dict[str, Any]:
        """What a delivery keeps of it."""
        return {
            "kind": self.rule.kind,
            "rule": self.rule.name,
            "time": now.isoformat(),
            "data": self.data,
        }


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def claim(self, pk: int, lease: timedelta) -> Delivery | None:
        """The delivery, ours to send; None when it waits no more, or not yet."""
        now = timezone.now()
        due = self.filter(pk=pk, status=Delivery.Status.WAITING, next_try_at__lte=now)
        claimed = due.update(
            status=Delivery.Status.SENDING,
            claim=(claim := uuid.uuid4()),
            lease_until=now + lease,
            tries=F("tries") + 1,
        )
        return self.select_related("channel").get(pk=pk, claim=claim) if claimed else None


class Delivery(models.Model):
    """One message to one channel. `message_id` stays the same at every try, so that a receiver can
    tell a repetition.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")

    channel = models.ForeignKey(
        Channel, models.CASCADE, related_name="deliveries", verbose_name=_("channel")
    )
    message_id = models.UUIDField(_("message"), default=uuid.uuid4, unique=True, editable=False)
    status = models.CharField(_("state"), max_length=10, choices=Status, default=Status.WAITING)
    is_test = models.BooleanField(_("test"), default=False)
    notices = models.JSONField(_("notices"), default=list)
    left_out = models.PositiveIntegerField(_("left out"), default=0)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"), default=timezone.now)
    queued_at = models.DateTimeField(null=True, editable=False)
    claim = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    last_error = models.TextField(_("last error"), blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        db_table = "notification_deliveries"
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("status", "next_try_at"), name="delivery_due"),
            models.Index(fields=("channel", "-id"), name="delivery_channel"),
        )

    def __str__(self) -> str:
        return f"{self.channel_id} {self.message_id}"

    @property
    def total(self) -> int:
        """How many notices it stands for."""
        return len(self.notices) + self.left_out

    def sent(self, remark: str = "") -> bool:
        """Arrived; `remark` says what part did not. False when it is not ours any more."""
        return self._end(self.Status.SENT, last_error=remark, ended_at=timezone.now())

    def failed(self, error: str) -> bool:
        """Given up. False when it is not ours any more."""
        return self._end(self.Status.FAILED, last_error=error, ended_at=timezone.now())

    def again(self, error: str, after: timedelta) -> bool:
        """Another try later. False when it is not ours any more."""
        at = timezone.now() + after
        return self._end(self.Status.WAITING, last_error=error, next_try_at=at, queued_at=None)

    def resend(self) -> bool:
        """Try anew what was given up or has arrived already. False while it is on its way."""
        ended = Delivery.objects.filter(
            pk=self.pk, status__in=(self.Status.SENT, self.Status.FAILED)
        )
        values = {"tries": 0, "next_try_at": timezone.now(), "queued_at": None, "ended_at": None}
        return bool(ended.update(status=self.Status.WAITING, **values))

    def _end(self, status: Status, **values: Any) -> bool:
        ours = Delivery.objects.filter(pk=self.pk, status=self.Status.SENDING, claim=self.claim)
        ended = ours.update(status=status, claim=None, lease_until=None, **values)
        self.refresh_from_db()
        return bool(ended)
