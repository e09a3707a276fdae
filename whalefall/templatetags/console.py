"""What templates of the console ask for by name."""

from __future__ import annotations

from typing import Any

from django import template

from whalefall import section_names

register = template.Library()
register.filter("section_name", section_names.section_name)


@register.simple_tag(takes_context=True)
def trail(context: Any) -> list[Any]:
    """The words above the page: group, list, row (`console.trail.Step`)."""
    from whalefall.console import trail as trails  # unfold's forms load this while it is loaded

    return trails.trail(context["request"], context.flatten())
