"""`{% console_result_list %}`: the table of a list, as unfold's and quicker (`console.rows`)."""

from __future__ import annotations

from typing import Any

from django import template
from django.contrib.admin.templatetags.admin_list import result_hidden_fields
from unfold.templatetags.unfold_list import result_headers, result_list

register = template.Library()


@register.inclusion_tag("console/result_list.html", takes_context=True)
def console_result_list(context: template.Context, cl: Any) -> dict[str, Any]:
    """The context of the template; `is_unfolds` where the page asks for more than plain rows."""
    from whalefall.console import rows  # unfold's admin loads all tags while it is loaded itself

    if not rows.is_drawn_here(cl, context.get("actions_row")):
        return {**result_list(context, cl), "is_unfolds": True}
    headers = list(result_headers(cl))
    return {
        "cl": cl,
        "result_hidden_fields": list(result_hidden_fields(cl)),
        "result_headers": headers,
        "rows": list(rows.drawn(cl, headers)),
        "has_add_permission": cl.model_admin.has_add_permission(context["request"]),
    }
