"""Which rules are to be asked of all accounts again, by what they were when that was last done.

A stamp of each rule is kept with its classification: of a rule that changed it differs, of a new
one there is none, and of one that is gone or has moved it is left over. A run asks the first two;
the classification of any is compared anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from classification.matching import Ready

Stamps = dict[str, str]
"""By the rule's id as text, for they are kept as JSON. Empty: never up to date, as of one that
failed or is broken.
"""


@dataclass(frozen=True, slots=True)
class Stale:
    """`stamps`: the new ones of every classification. `classifications`: whose assignments are to
    be compared for all accounts. `settled`: the rules that say what they said. `broken`: those
    that cannot be asked and were not when the stamps were kept either.
    """

    stamps: Mapping[int, Stamps]
    classifications: set[int] = field(default_factory=set)
    settled: set[int] = field(default_factory=set)
    broken: set[int] = field(default_factory=set)

    def to_keep(self, failed: Mapping[int, int]) -> dict[int, Stamps]:
        """What is to be kept after a run over all accounts; `failed`: rules, and their
        classifications.
        """
        kept = {id_: self.stamps.get(id_, {}) for id_ in {*self.classifications, *failed.values()}}
        without = {str(rule): "" for rule in failed}
        return {
            id_: {rule: without.get(rule, stamp) for rule, stamp in stamps.items()}
            for id_, stamps in kept.items()
        }


def compared(
    ready: Iterable[Ready],
    known: Iterable[tuple[int, Stamps]],
    named: Collection[int] | None,
    is_whole: bool,
) -> Stale:
    """`known`: the stamps kept of every classification. `named` rules are to be asked whether or
    not they changed, and then their classifications alone are stale. What the clock changes is
    left to the runs over all accounts, of which one an hour asks for it.
    """
    now: dict[int, Stamps] = {}
    for each in ready:
        now.setdefault(each.rule.classification_id, {})[str(each.rule.id)] = stamp(each)
    stale = Stale(now)
    for id_, old in known:
        new = now.get(id_, {})
        same = {rule for rule in new if rule in old and _is_same(new[rule], old[rule], is_whole)}
        asked = {rule for rule in new if named is not None and int(rule) in named}
        if asked if named is not None else (len(same) < len(new) or new.keys() != old.keys()):
            stale.classifications.add(id_)
        stale.settled.update(int(rule) for rule in same - asked if new[rule])
        stale.broken.update(int(rule) for rule in same if not new[rule])
    return stale


def stamp(ready: Ready) -> str:
    """With the hour behind an @ where the rule asks the clock, which counts in days."""
    question = ready.question
    if question is None:
        return ""
    asked = f"{ready.rule.fingerprint} {question.stamp()}"
    hour = f"@{question.context.now:%Y-%m-%dT%H}" if question.expression.is_volatile else ""
    return hashlib.sha256(asked.encode()).hexdigest()[:32] + hour


def _is_same(new: str, old: str, is_whole: bool) -> bool:
    return new == old if is_whole else new.partition("@")[0] == old.partition("@")[0]
