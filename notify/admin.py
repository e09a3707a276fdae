"""Pages of channels, rules, alerts and deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RelatedDropdownFilter
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
)

from notify import deliver, words
from notify.models import ELSEWHERE, Alert, Channel, Delivery, Rule
from whalefall.console import show
from whalefall.console.asking import Consequences, asks
from whalefall.console.filters import TimeRangeFilter
from whalefall.console.pages import ReadOnlyAdmin, RoleAdmin, button

SECRETS = ("url", "secret")
MAIL_FIELDS = ("recipients", "sender", "host", "port", "security", "username")
STATUS_TONES = {"waiting": "neutral", "sending": "info", "sent": "success", "failed": "danger"}


def _secret_field(label: Any, help_text: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        strip=False,
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )


class ChannelForm(forms.ModelForm):
    """Address and secret go in and never come out: left empty they stay what they were."""

    url = _secret_field(
        _("Address (URL)"), _("Of the robot or webhook, with its token. Shown never again.")
    )
    secret = _secret_field(
        _("Secret"), _("What messages are signed with; the password of a mail server.")
    )

    class Meta:
        model = Channel
        fields = (
            *("name", "kind", "is_active", "language", "digest_minutes", "url", "secret"),
            *MAIL_FIELDS,
        )
        widgets = {"recipients": UnfoldAdminTextInputWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in SECRETS:
            self.initial.pop(name, None)
            if self.instance.pk and name in self.fields:
                self.fields[name].help_text = _("Leave empty to keep the stored one.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        stored = Channel.objects.get(pk=self.instance.pk) if self.instance.pk else None
        wanted = Channel(**{k: v for k, v in cleaned.items() if k not in SECRETS})
        keeps_secret = stored and stored.secret and not cleaned.get("secret")
        if stored and keeps_secret and wanted.sends_elsewhere_than(stored):
            self.add_error("secret", ValidationError(ELSEWHERE, code="required"))
        for name in SECRETS:
            cleaned[name] = cleaned.get(name) or (getattr(stored, name) if stored else "")
        return cleaned


@admin.register(Channel)
class ChannelAdmin(RoleAdmin):
    empty_hint = _(
        "Where messages go: an address of mail, a webhook, or the robot of a chat. Add one first."
    )
    menu = "notifications"
    menu_icon = "campaign"
    menu_order = 10
    form = ChannelForm
    list_display = ("name", "kind", "host", "state", "last_delivery")
    list_filter = (("kind", ChoicesCheckboxFilter), "is_active")
    search_fields = ("name", "host")
    actions_detail = ("send_test",)
    fieldsets = (
        (None, {"fields": (("name", "kind"), ("language", "digest_minutes"), "is_active")}),
        (_("Robot or webhook"), {"fields": ("url", "secret")}),
        (
            _("E-mail"),
            {
                "fields": (
                    "recipients",
                    "sender",
                    ("host", "port"),
                    ("security", "username"),
                ),
                "description": _("The password of the mail server is the secret above."),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Channel]:
        last = Delivery.objects.filter(channel=OuterRef("pk")).order_by("-pk")
        found = (
            super()
            .get_queryset(request)
            .annotate(
                last_status=Subquery(last.values("status")[:1]),
                last_time=Subquery(last.values("created_at")[:1]),
            )
        )
        return found.defer(*SECRETS)

    def consequences(self, objs: Sequence[Any]) -> Consequences:
        sent = Delivery.objects.filter(channel__in=objs).count()
        rules = Rule.objects.filter(channels__in=objs).distinct().count()
        history = ngettext(
            "%(n)d message sent or waiting.", "%(n)d messages sent or waiting.", sent
        )
        told = ngettext(
            "%(n)d rule tells this way no more.", "%(n)d rules tell this way no more.", rules
        )
        return Consequences(
            happens=(history % {"n": sent}, told % {"n": rules}),
            stays=(_("The rules, and what they found."),),
            back=_(
                "Switch it off instead: nothing goes out then, and it can be switched on again."
            ),
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who may not edit gets no field of a secret: a read-only one would show its value."""
        if self.has_change_permission(request, obj):
            return self.fieldsets
        names = (*("name", "kind", "is_active", "language", "digest_minutes"), *MAIL_FIELDS)
        return ((None, {"fields": names}),)

    @admin.display(description=_("state"), ordering="is_active")
    def state(self, channel: Channel) -> Any:
        if channel.is_active:
            return show.badge(_("active"), "success")
        return show.badge(_("paused"), "neutral")

    @admin.display(description=_("last delivery"))
    def last_delivery(self, channel: Any) -> Any:
        if channel.last_status is None:
            return show.EMPTY
        label = Delivery.Status(channel.last_status).label
        return show.joined(
            [show.badge(label, STATUS_TONES[channel.last_status]), show.ago(channel.last_time)]
        )

    @button(
        _("Send a test"), _("A message that says it is a test goes out now."), right="manage",
        icon="send",
    )  # fmt: skip
    def send_test(self, request: HttpRequest, channel: Channel) -> None:
        delivery = deliver.send_test(channel, request.user)
        self.log_change(request, channel, str(_("test sent")))
        if delivery.status == Delivery.Status.SENT:
            text, level = delivery.last_error or _("Sent."), messages.SUCCESS
        else:
            text, level = delivery.last_error, messages.ERROR
        self.message_user(request, text, level)


@admin.register(Rule)
class RuleAdmin(RoleAdmin):
    empty_hint = _(
        "What is told, and to which channels: a new risky account, a failed session, "
        "days until full."
    )
    menu = "notifications"
    menu_icon = "notifications_active"
    menu_order = 20
    menu_title = _("Rules")
    list_display = ("name", "when", "routes", "state", "checked")
    list_filter = (("kind", ChoicesCheckboxFilter), "is_active")
    search_fields = ("name",)
    readonly_fields = ("checked_at", "last_error")
    fieldsets = (
        (None, {"fields": ("name", "kind", "is_active")}),
        (
            _("When"),
            {"fields": (("risk_level", "days"), ("sync_category", "remind_days"), "tags")},
        ),
        (_("Who"), {"fields": ("channels",)}),
        (_("Known"), {"fields": ("checked_at", "last_error")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rule]:
        shown = Channel.objects.defer(*SECRETS)
        return super().get_queryset(request).prefetch_related(Prefetch("channels", queryset=shown))

    def consequences(self, objs: Sequence[Any]) -> Consequences:
        found = Alert.objects.filter(rule__in=objs).count()
        text = ngettext("%(n)d finding of it.", "%(n)d findings of it.", found)
        return Consequences(
            happens=(text % {"n": found}, _("Nobody is told of such things by it any more.")),
            stays=(_("Its channels, and the messages that were sent."),),
            back=_("Switch it off instead: it finds nothing then, and can be switched on again."),
        )

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @admin.display(description=_("when"), ordering="kind")
    def when(self, rule: Rule) -> str:
        detail = ""
        if rule.kind in Rule.OF_RISK:
            detail = rule.risk_level
        elif rule.kind in Rule.NEEDS_DAYS:
            detail = str(rule.days)
        return f"{rule.get_kind_display()} ({detail})" if detail else rule.get_kind_display()

    @admin.display(description=_("channels"))
    def routes(self, rule: Rule) -> Any:
        return show.joined([show.badge(channel.name) for channel in rule.channels.all()])

    @admin.display(description=_("state"), ordering="is_active")
    def state(self, rule: Rule) -> Any:
        if rule.last_error:
            return show.badge(_("failed"), "danger", rule.last_error)
        if rule.is_active:
            return show.badge(_("active"), "success")
        return show.badge(_("paused"), "neutral")

    @admin.display(description=_("last checked"), ordering="checked_at")
    def checked(self, rule: Rule) -> Any:
        return show.ago(rule.checked_at)


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """What the rules found."""

    empty_hint = _("What notification rules find stands here; each is told once.")
    menu = "notifications"
    menu_icon = "warning"
    menu_order = 30
    list_display = ("found", "rule", "what", "told", "state")
    list_display_links = ("found", "what")
    list_filter = (("rule", RelatedDropdownFilter), ("found_at", TimeRangeFilter))
    list_select_related = ("rule",)
    search_fields = ("rule__name", "key")
    fields = ("rule", "what", "data_json", "found_at", "told_at", "closed_at")
    readonly_fields = fields

    def row_title(self, row: Alert) -> str:
        return self.what(row)

    @admin.display(description=_("found"), ordering="found_at")
    def found(self, alert: Alert) -> Any:
        return show.ago(alert.found_at)

    @admin.display(description=_("what"))
    def what(self, alert: Alert) -> str:
        return words.in_words(alert.rule.kind, alert.data)[0]

    @admin.display(description=_("told"), ordering="told_at")
    def told(self, alert: Alert) -> Any:
        return show.ago(alert.told_at)

    @admin.display(description=_("state"))
    def state(self, alert: Alert) -> Any:
        if alert.closed_at:
            return show.badge(_("over"), "success")
        return show.badge(_("lasts"), "warning") if alert.rule.lasts else show.EMPTY

    @admin.display(description=_("details"))
    def data_json(self, alert: Alert) -> Any:
        return show.pretty_json(alert.data)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Messages and what became of them."""

    empty_hint = _("Each message to a channel stands here, with what became of it.")
    menu = "notifications"
    menu_icon = "outgoing_mail"
    menu_order = 40
    list_display = ("created", "channel", "what", "state", "tries", "next_try", "error")
    list_display_links = ("created", "what")
    list_filter = (
        ("status", ChoicesCheckboxFilter),
        ("channel", RelatedDropdownFilter),
        "is_test",
        ("created_at", TimeRangeFilter),
    )
    list_select_related = ("channel",)
    search_fields = ("channel__name", "last_error", "=message_id")
    actions = ("resend_selected",)
    actions_detail = ("resend",)
    fields = (
        *("channel", "message_id", "state", "is_test", "tries", "last_error"),
        *("created_at", "next_try_at", "ended_at", "told", "left_out"),
    )
    readonly_fields = fields

    def row_title(self, row: Delivery) -> str:
        return f"{row.channel} · {row.get_status_display()}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        hidden = [f"channel__{name}" for name in SECRETS]
        return super().get_queryset(request).select_related("channel").defer(*hidden)

    @admin.display(description=_("created"), ordering="created_at")
    def created(self, delivery: Delivery) -> Any:
        return show.ago(delivery.created_at)

    @admin.display(description=_("notices"))
    def what(self, delivery: Delivery) -> str:
        return words.title(delivery)

    @admin.display(description=_("state"), ordering="status")
    def state(self, delivery: Delivery) -> Any:
        return show.badge(delivery.get_status_display(), STATUS_TONES[delivery.status])

    @admin.display(description=_("next try"), ordering="next_try_at")
    def next_try(self, delivery: Delivery) -> Any:
        if delivery.status != Delivery.Status.WAITING:
            return show.EMPTY
        return show.ago(delivery.next_try_at)

    @admin.display(description=_("last error"))
    def error(self, delivery: Delivery) -> str:
        return delivery.last_error[:120] or show.EMPTY

    @admin.display(description=_("notices"))
    def told(self, delivery: Delivery) -> Any:
        pairs = [words.in_words(each["kind"], each["data"]) for each in delivery.notices]
        return show.lines([f"{title}: {text}" for title, text in pairs])

    def _resent(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> Consequences:
        number = queryset.count()
        text = ngettext("Send %(n)d message again?", "Send %(n)d messages again?", number)
        return Consequences(
            question=text % {"n": number},
            verb=_("Send again"),
            happens=(_("The same messages go out once more, with the same ids."),),
            back=_("There is none: what was sent cannot be taken back."),
            is_loss=False,
        )

    @admin.action(description=_("Send again"), permissions=["manage"])
    @asks(_resent)
    def resend_selected(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        self._resend(request, list(queryset))

    @button(
        _("Send again"), _("The same message goes out once more, with the same id."),
        right="manage", icon="replay",
    )  # fmt: skip
    def resend(self, request: HttpRequest, delivery: Delivery) -> None:
        self._resend(request, [delivery])

    def _resend(self, request: HttpRequest, deliveries: list[Delivery]) -> None:
        again = [delivery for delivery in deliveries if delivery.resend()]
        for delivery in again:
            self.log_change(request, delivery, str(_("sent again")))
        text = ngettext(
            "%(n)d message is sent again within a minute.",
            "%(n)d messages are sent again within a minute.",
            len(again),
        )
        self.message_user(request, text % {"n": len(again)})
