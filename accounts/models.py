"""Accounts on watched servers, what they may do, and how that changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models, transaction
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from accounts import hidden, tokens
from accounts.search import FoldedName, Found, NameGrams, find
from whalefall.engines.hidden import like
from whalefall.engines.observed import Kind, Scope
from whalefall.instances.models import DB_TYPE_CHOICES, Instance

KIND_CHOICES = [
    (Kind.USER.value, _("user")),
    (Kind.ROLE.value, _("role")),
    (Kind.GROUP.value, _("group")),
    (Kind.PUBLIC.value, _("everybody")),
    (Kind.DATABASE_USER.value, _("database user")),
]


WIDE = ("permission_snapshot", "permission_facts", "fact_tokens")


class AccountQuerySet(models.QuerySet["InstanceAccount"]):
    """Accounts; `permission__...` columns come with `with_permission()`."""

    def present(self) -> Self:
        """Those on their server now, on instances that are not in the recycle bin."""
        return self.filter(is_active=True, instance__deleted_at=None)

    def shown(self) -> Self:
        """Without the accounts that come with the product (`pg_monitor`, `mysql.sys@localhost`)."""
        return self.filter(comes_with_product=False)

    def with_permission(self) -> Self:
        """Instance and typed columns at hand, the JSON columns left where they are."""
        wide = (f"permission__{name}" for name in WIDE)
        return self.select_related("instance", "permission").defer(*wide)

    def with_everything(self) -> Self:
        """Instance, snapshot and facts at hand: for pages of one or two accounts."""
        return self.select_related("instance", "permission")

    def search(self, text: str) -> Self:
        """By a part of the account's name, or of the instance's name or host."""
        there = Instance.objects.filter(Q(name__icontains=text) | Q(host__icontains=text))
        return self.filter(self.named(text).condition() | Q(instance__in=there.values("pk")))

    def named(self, text: str) -> Found:
        """By any part of the name alone: what narrows this list, or one of rows with accounts."""
        return find(self.model._default_manager.all(), text)


class InstanceAccount(models.Model):
    """A principal seen on an instance. Gone ones stay, inactive."""

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="accounts")
    db_type = models.CharField(_("engine"), max_length=20, choices=DB_TYPE_CHOICES)
    username = models.CharField(_("account"), max_length=400)
    search_name = FoldedName(editable=False, db_default="")
    # One of the product's own (`hidden`): kept here, because asking a list of patterns for each
    # row of a list costs more than all the rest of it. Every sync looks again.
    comes_with_product = models.BooleanField(
        _("comes with the product"), default=False, db_default=False, editable=False
    )
    kind = models.CharField(_("kind"), max_length=20, choices=KIND_CHOICES, default=Kind.USER)
    is_active = models.BooleanField(_("present"), default=True)
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))
    deleted_at = models.DateTimeField(_("gone since"), null=True, blank=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        db_table = "instance_accounts"
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ("username", "id")
        constraints = (
            models.UniqueConstraint(fields=("instance", "username"), name="account_unique"),
        )
        indexes = (
            models.Index(fields=("username", "id"), name="account_username"),
            # What lists show unless asked for more: walked in order without the rows themselves.
            models.Index(
                fields=("username", "id"),
                include=("instance",),
                condition=Q(is_active=True, comes_with_product=False),
                name="account_listed",
            ),
            models.Index(
                fields=("username", "id"), condition=~Q(kind="user"), name="account_not_user"
            ),
            models.Index(
                fields=("username", "id"), condition=Q(is_active=False), name="account_gone"
            ),
            # fastupdate off: a pending list would have to be read by every search.
            GinIndex(NameGrams("search_name"), name="account_name_grams", fastupdate=False),
        )

    def __str__(self) -> str:
        return self.username


class HiddenAccount(models.Model):
    """A pattern of names that come with a product and that lists leave out unless asked: loaded
    from the engines' `hidden.yaml` (`accounts.hidden`), switched off and added to in the console.
    """

    db_type = models.CharField(_("engine"), max_length=20, choices=DB_TYPE_CHOICES)
    pattern = models.CharField(
        _("pattern"), max_length=400, help_text=_("Of the name: * is any text, ? one letter.")
    )
    # The same for LIKE, escaped: what statements compare with.
    name_like = models.CharField(max_length=800, editable=False)
    is_shipped = models.BooleanField(_("shipped"), default=False, editable=False)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        db_table = "hidden_accounts"
        verbose_name = _("hidden account")
        verbose_name_plural = _("hidden accounts")
        ordering = ("db_type", "pattern")
        constraints = (
            models.UniqueConstraint(fields=("db_type", "pattern"), name="hidden_account_unique"),
        )

    def __str__(self) -> str:
        return self.pattern

    def save(self, *args: Any, **options: Any) -> None:
        """The accounts of the engine follow."""
        self.name_like = like(self.pattern)
        with transaction.atomic():
            super().save(*args, **options)
            hidden.apply(self.db_type)

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            gone = super().delete(*args, **options)
            hidden.apply(self.db_type)
        return gone


class PermissionQuerySet(models.QuerySet["AccountPermission"]):
    """What accounts may do."""

    def present(self) -> Self:
        """Of accounts on their server now, on instances that are not in the recycle bin."""
        return self.filter(account__is_active=True, instance__deleted_at=None)

    def shown(self) -> Self:
        """Without the accounts that come with the product (`pg_monitor`, `mysql.sys@localhost`)."""
        return self.filter(account__comes_with_product=False)

    def listed(self) -> Self:
        """For lists: account and instance at hand, no JSON, by instance and name."""
        rows = self.select_related("account", "instance").defer(*WIDE)
        return rows.order_by("instance__name", "account__username", "pk")

    def having(self, *words: str, reach: bool = False) -> Self:
        """With at least one of these tokens; with `reach` also by an explicit SET ROLE."""
        wanted = [*words, *map(tokens.reach, words)] if reach else list(words)
        return self.filter(fact_tokens__overlap=wanted)

    def holding(self, privilege: str, reach: bool = False) -> Self:
        """With this privilege somewhere, in any scope."""
        words = (tokens.privilege(scope, privilege.upper()) for scope in Scope)
        return self.having(*words, reach=reach)

    def denials(self, instance_id: int, usernames: Iterable[str]) -> dict[str, list[Any]]:
        """What these accounts of an instance are denied: name -> such grants of the snapshot."""
        grants = Func(
            F("permission_snapshot"),
            Value("$.categories.grants[*] ? (exists(@.state))"),
            function="jsonb_path_query_array",
            template="%(function)s(%(expressions)s::jsonpath)",
            output_field=models.JSONField(),
        )
        of = self.filter(instance=instance_id, account__username__in=list(usernames))
        found = of.annotate(denied=grants).values_list("account__username", "denied")
        return {name: denied for name, denied in found if denied}

    def search(self, text: str) -> Self:
        there = Instance.objects.filter(Q(name__icontains=text) | Q(host__icontains=text))
        named = InstanceAccount.objects.named(text).condition("account__")
        return self.filter(named | Q(instance__in=there.values("pk")))


class AccountPermission(models.Model):
    """What an account may do: the snapshot as read, the facts that follow, the tokens for the
    index.

    The typed columns are copies of facts for lists and filters; what the clock decides (expired,
    unused) is compared with them when asked.
    """

    class ChangeType(models.TextChoices):
        ADD = "add", _("new")
        MODIFY_PRIVILEGE = "modify_privilege", _("privileges changed")
        MODIFY_OTHER = "modify_other", _("attributes changed")
        DELETE = "delete", _("gone")
        RESTORE = "restore", _("back")

    account = models.OneToOneField(InstanceAccount, models.CASCADE, related_name="permission")
    instance = models.ForeignKey(Instance, models.CASCADE, related_name="permissions")
    db_type = models.CharField(_("engine"), max_length=20, choices=DB_TYPE_CHOICES)
    permission_snapshot = models.JSONField(_("snapshot"))
    permission_facts = models.JSONField(_("facts"))
    fact_tokens = ArrayField(models.TextField(), verbose_name=_("tokens"), default=list)
    snapshot_fingerprint = models.CharField(max_length=64)
    facts_fingerprint = models.CharField(max_length=64)
    is_superuser = models.BooleanField(_("superuser"), default=False)
    is_locked = models.BooleanField(_("locked"), null=True)
    can_login = models.BooleanField(_("can log in"), null=True)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    password_changed_at = models.DateTimeField(_("password changed"), null=True, blank=True)
    last_login_at = models.DateTimeField(_("last login"), null=True, blank=True)
    last_sync_time = models.DateTimeField(_("last synchronised"))
    last_change_type = models.CharField(
        _("last change"), max_length=20, choices=ChangeType, default=ChangeType.ADD
    )
    last_change_time = models.DateTimeField(_("last changed"))

    objects = PermissionQuerySet.as_manager()

    class Meta:
        db_table = "account_permission"
        verbose_name = _("permission")
        verbose_name_plural = _("permissions")
        indexes = (
            # fastupdate off: classification reads right after a sync has written.
            GinIndex(fields=("fact_tokens",), name="permission_tokens", fastupdate=False),
            # What few have: their lists would look up the column in every wide row.
            models.Index(
                fields=("account",), condition=Q(is_locked=True), name="permission_is_locked"
            ),
            models.Index(
                fields=("account",), condition=Q(can_login=False), name="permission_no_login"
            ),
            models.Index(
                fields=("account",), condition=Q(is_superuser=True), name="permission_is_superuser"
            ),
        )

    def __str__(self) -> str:
        return f"{self.account_id}"


class AccountChangeLog(models.Model):
    """One change of one account. Append only."""

    account = models.ForeignKey(InstanceAccount, models.CASCADE, related_name="changes")
    instance = models.ForeignKey(Instance, models.CASCADE, related_name="account_changes")
    session_id = models.UUIDField(_("session"), null=True, blank=True, db_index=True)
    change_type = models.CharField(_("change"), max_length=20, choices=AccountPermission.ChangeType)
    privilege_diff = models.JSONField(_("privilege differences"), default=list)
    other_diff = models.JSONField(_("other differences"), default=list)
    message = models.TextField(_("message"), blank=True)
    risk_before = models.CharField(_("risk before"), max_length=20, blank=True)
    risk_after = models.CharField(_("risk after"), max_length=20, blank=True)
    change_time = models.DateTimeField(_("time"))

    class Meta:
        db_table = "account_change_log"
        verbose_name = _("change of an account")
        verbose_name_plural = _("changes of accounts")
        ordering = ("-change_time", "-id")
        indexes = (
            # With the id: one reading of a server gives the same time to all that it finds.
            models.Index(fields=("change_time", "id"), name="change_time_order"),
            models.Index(fields=("account", "-change_time"), name="change_account_time"),
            models.Index(fields=("instance", "-change_time"), name="change_instance_time"),
        )

    def __str__(self) -> str:
        return f"{self.change_type} {self.account_id}"


class AccountSnapshot(models.Model):
    """A snapshot that was true until a later reading replaced it: what "as of a date" is answered
    from. The one that is true now stands in AccountPermission.
    """

    account = models.ForeignKey(InstanceAccount, models.CASCADE, related_name="snapshots")
    until = models.DateTimeField(_("until"), db_index=True)
    permission_snapshot = models.JSONField(_("snapshot"))

    class Meta:
        db_table = "account_snapshot_history"
        verbose_name = _("earlier snapshot")
        verbose_name_plural = _("earlier snapshots")
        ordering = ("account", "until")
        constraints = (
            models.UniqueConstraint(fields=("account", "until"), name="snapshot_account_until"),
        )

    def __str__(self) -> str:
        return f"{self.account_id} until {self.until:%F %T}"
