"""What changed on an account between two snapshots, as the change log keeps it. Pure.

`privilege_diff`: `[{"action": "GRANT" | "REVOKE" | "ALTER", "object": "database:sales",
"permissions": ["INSERT", "SELECT WITH GRANT OPTION"]}]`; memberships stand as object `role:dba`
with the permission `MEMBER`, ownership as `OWNER`. An ALTER names the permission as it is now.
`other_diff`: `[{"field", "label", "before", "after", "description"}]`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import tokens
from accounts.snapshot import Json, canonical, is_known

# So many entries are named in a message, the rest is counted.
NAMED = 3


class Key(NamedTuple):
    """What a permission is: of this name, on this object."""

    object: str
    permission: str


class Item(NamedTuple):
    """How it is held, and where that was read."""

    option: str
    section: str
    database: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """`change_type` is None where nothing differs."""

    privilege_diff: list[Json] = field(default_factory=list)
    other_diff: list[Json] = field(default_factory=list)

    @property
    def change_type(self) -> str | None:
        if self.privilege_diff:
            return "modify_privilege"
        return "modify_other" if self.other_diff else None

    @property
    def message(self) -> str:
        """One line for people: `GRANT SELECT on database:sales; valid until: - -> 2027-01-01`."""
        lines = [
            _("%(action)s %(permissions)s on %(object)s")
            % {**entry, "permissions": ", ".join(entry["permissions"])}
            for entry in self.privilege_diff[:NAMED]
        ]
        lines += [entry["description"] for entry in self.other_diff[: NAMED - len(lines)]]
        more = len(self.privilege_diff) + len(self.other_diff) - len(lines)
        if more:
            lines.append(ngettext("and %(n)d more", "and %(n)d more", more) % {"n": more})
        return "; ".join(lines)


def diff(before: Json | None, after: Json) -> Difference:
    """From one snapshot of an account to the next; without a first one everything is new."""
    if before is None:
        return Difference(_privileges({}, items(after), None, None))
    sections = before["sections"], after["sections"]
    return Difference(
        _privileges(items(before), items(after), *sections), _others(before, after, *sections)
    )


def items(snapshot: Json) -> dict[Key, Item]:
    """Every permission in a snapshot; those that several grantors gave count once."""
    found: dict[Key, Item] = {}
    for key, item in _all_items(snapshot["categories"]):
        known = found.get(key)
        if known is None or len(item.option) > len(known.option):
            found[key] = item
    return found


def _all_items(categories: Mapping[str, list[Json]]) -> Iterator[tuple[Key, Item]]:
    for entry in (*categories["grants"], *categories["owns"]):
        state = entry.get("state", "grant")
        name = entry["privilege"] if state == "grant" else f"{entry['privilege']} ({state})"
        option = " WITH GRANT OPTION" if entry.get("grantable") else ""
        where = entry.get("section", ""), entry.get("database")
        yield Key(_object(entry), name), Item(option, *where)
    yield from _memberships(categories["memberships"])


def _memberships(entries: list[Json]) -> Iterator[tuple[Key, Item]]:
    """Several grantors of one membership add up: each option counts where one of them gave it."""
    by_role: dict[Key, list[Json]] = {}
    for entry in entries:
        name = (
            entry["role"] if not entry.get("database") else f"{entry['role']}@{entry['database']}"
        )
        by_role.setdefault(Key(f"role:{name}", "MEMBER"), []).append(entry)
    for key, several in by_role.items():
        option = " WITH ADMIN OPTION" if any(each.get("admin") for each in several) else ""
        for name in ("inherit", "set", "default"):
            if not any(each.get(name, True) for each in several):
                option += f" WITHOUT {name.upper()}"
        section = several[0].get("section", "memberships")
        yield key, Item(option, section, several[0].get("database"))


def _object(entry: Json) -> str:
    names = (entry.get(part) for part in ("database", "schema", "object", "column"))
    parts = [name for name in names if name is not None]
    scope = entry["scope"]
    if scope == "other" and entry.get("object_type"):
        scope = f"other.{entry['object_type']}"
    if parts and entry.get("is_pattern"):
        scope += ".pattern"
    return f"{scope}:{tokens.object_name(parts)}" if parts else scope


def _privileges(
    before: dict[Key, Item],
    after: dict[Key, Item],
    sections_before: Json | None,
    sections_after: Json | None,
) -> list[Json]:
    changes: dict[tuple[str, str], list[str]] = {}
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        shown = new or old
        if shown is None or (old and new and old.option == new.option):
            continue
        if sections_before is not None and not (
            is_known(sections_before, shown.section, shown.database)
            and is_known(sections_after or {}, shown.section, shown.database)
        ):
            continue
        action = "GRANT" if old is None else "REVOKE" if new is None else "ALTER"
        permission = key.permission + (new.option if new else "")
        changes.setdefault((key.object, action), []).append(permission)
    return [
        {"action": action, "object": name, "permissions": permissions}
        for (name, action), permissions in sorted(changes.items())
    ]


def _others(before: Json, after: Json, *sections: Json) -> list[Json]:
    old, new = attributes(before), attributes(after)
    settled = all(entry["status"] == "complete" for side in sections for entry in side.values())
    return [
        _other(name, old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if canonical(old.get(name)) != canonical(new.get(name))
        # None is "the server did not tell" where some section could not be read.
        and (settled or None not in (old.get(name), new.get(name)))
    ]


def attributes(snapshot: Json) -> Json:
    """What a snapshot says about the account itself, by name."""
    found: Json = dict(snapshot["categories"]["attributes"])
    for attributes in snapshot["type_specific"].values():
        found.update(attributes)
    return found


def _other(name: str, before: Any, after: Any) -> Json:
    label = name.replace("_", " ")
    return {
        "field": name,
        "label": label,
        "before": before,
        "after": after,
        "description": f"{label}: {shown(before)} -> {shown(after)}",
    }


def shown(value: Any) -> str:
    """A value of an attribute for people; a dash for what the server does not tell."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return value if isinstance(value, str) else canonical(value)
