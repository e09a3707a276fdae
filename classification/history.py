"""What a rule was before and after each change, so that an earlier state can be brought back."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.utils.translation import gettext as _

from classification.models import AccountClassification, ClassificationRule, RuleRevision
from classification.models.rules import CONTENT
from whalefall import audit

Json = dict[str, Any]


def stored(rule: ClassificationRule) -> Json | None:
    """The content of the row as it stands in the store; None where there is none yet."""
    row = ClassificationRule.objects.filter(pk=rule.pk).first() if rule.pk else None
    return row.content() if row else None


def record(user: Any, rule: ClassificationRule, before: Json | None, who: str = "") -> RuleRevision:
    """Keep an addition (`before` is None) or a change, in the history of the rule, in Django's and
    in the audit log. Without a `user` it is `who` made it.
    """
    revision = RuleRevision.objects.create(
        rule=rule, user=user, who=who or user.get_username(), before=before, after=rule.content()
    )
    if user is not None:
        flag = ADDITION if before is None else CHANGE
        text = str(told(revision))
        LogEntry.objects.log_actions(user.pk, [rule], flag, text, single_object=True)
    audit.note(rule, str(told(revision)))
    return revision


def told(revision: RuleRevision) -> str:
    """What was done, in a line."""
    if revision.before is None:
        return _("Made.")
    names = ", ".join(name for name, _before, _after in changes(revision))
    return _("Changed %(fields)s.") % {"fields": names}


def changes(revision: RuleRevision) -> list[tuple[str, Any, Any]]:
    """(field, before, after) of what differs, as people read it."""
    before, after = revision.before, revision.after
    if before is None:
        return []
    differing = [name for name in CONTENT if before.get(name) != after.get(name)]
    return [(_label(name), _shown(name, before), _shown(name, after)) for name in differing]


def _label(name: str) -> str:
    field: Any = ClassificationRule._meta.get_field(name)
    return str(field.verbose_name)


def _shown(name: str, state: Json) -> Any:
    if name != "classification_id":
        return state.get(name)
    there = AccountClassification.objects.filter(pk=state[name]).first()
    return there or state[name]


def restore(user: Any, rule: ClassificationRule, state: Json) -> bool:
    """Bring an earlier state back, as a change of its own; False when it is the present one.

    Raises ValidationError where it cannot stand any more (a name that another rule has taken, a
    classification that is gone).
    """
    before = rule.content()
    if all(before[name] == state[name] for name in CONTENT):
        return False
    for name in CONTENT:
        setattr(rule, name, state[name])
    rule.full_clean()
    rule.save()
    record(user, rule, before)
    return True
