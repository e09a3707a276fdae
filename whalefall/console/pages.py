"""Bases of the console's pages: rights by role, pages that only show, buttons that ask first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import model_ngettext, quote, unquote
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.views import ChangeList

from whalefall import audit
from whalefall.auth import has_right
from whalefall.console import asking, saved_views
from whalefall.console.asking import Consequences
from whalefall.console.menu import MenuPage
from whalefall.console.paginator import EstimatingPaginator


class RoleRights:
    """Django's permission questions answered by role, as the API answers them.

    `view_right` opens a page, `write_right` adds, changes and deletes, `operate` runs actions.
    """

    view_right = "view"
    write_right = "manage"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return has_right(request.user, self.view_right)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_right(request.user, self.view_right)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_right(request.user, self.write_right)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_right(request.user, self.write_right)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_right(request.user, self.write_right)

    def has_operate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_right(request.user, "operate")

    def has_manage_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_right(request.user, "manage")


class ReadOnlyRights(RoleRights):
    """For what was observed or is an audit trail: to be looked at, never edited."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ConsoleList(ChangeList):
    """Knows that nothing is left out where nothing was asked for, without a second count; shows
    a list of one page by the keys that it was counted by.
    """

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.multi_page:
            self.result_list = self.paginator.page(1).object_list
        if not self.query and not self.get_filters_params():
            self.full_result_count = self.result_count


class RoleAdmin(RoleRights, ModelAdmin):
    """A page with a place in the menu (`menu` is a key of `menu.GROUPS`)."""

    menu: str | None = None
    menu_icon = "list"
    menu_order = 50
    menu_title: Any = ""
    # What to do where the list is empty although nothing was asked for.
    empty_hint: Any = ""
    menu_pages: tuple[MenuPage, ...] = ()
    paginator = EstimatingPaginator
    # The total without filters would be a second count of the whole table.
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_fullwidth = True
    list_filter_submit = True
    warn_unsaved_form = True
    delete_confirmation_template = "console/asking.html"
    delete_selected_confirmation_template = "console/asking.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ConsoleList

    @property
    def list_title(self) -> Any:
        """What the menu calls the list."""
        return self.menu_title or self.opts.verbose_name_plural

    def row_title(self, row: Any) -> str:
        """What the page of a row is called, in words that people know it by."""
        return str(row)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """With the views that people keep of it."""
        page = f"{self.opts.app_label}_{self.opts.model_name}"
        kept = {"saved": saved_views.context(request, page), "title": capfirst(self.list_title)}
        return super().changelist_view(request, {**kept, **(extra_context or {})})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        if row is not None:
            context["title"] = capfirst(self.list_title)
            if context.get("subtitle") == str(row):
                context["subtitle"] = self.row_title(row)
        return super().render_change_form(request, context, *args, **kwargs)

    def consequences(self, objs: Sequence[Any]) -> Consequences:
        """What deleting these rows takes along, and the way back; the page that asks says it."""
        return Consequences(back=_("There is none: it would have to be made anew."))

    def refusals(self, objs: Sequence[Any]) -> list[str]:
        """Why some of these rows cannot be deleted; empty where all can."""
        return []

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Whoever may delete a row may take along what belongs to it, which `consequences` counts:
        Django would load every row of it.
        """
        return [], {}, set(), self.refusals(list(objs))

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        obj = context["object"]
        carried = {
            name: [request.GET[name]] for name in ("_popup", "_to_field") if name in request.GET
        }
        context |= self._asked([obj], context["protected"], carried)
        return super().render_delete_form(request, context | {"back_url": change_url(obj)})

    def response_action(self, request: HttpRequest, queryset: Any) -> Any:
        """The question of `delete_selected` knows what belongs to the rows."""
        response = super().response_action(request, queryset)
        asked = getattr(response, "context_data", None) or {}
        if "deletable_objects" in asked:
            names = ("action", "select_across", ACTION_CHECKBOX_NAME)
            carried = {name: request.POST.getlist(name) for name in names}
            asked |= self._asked(list(asked["queryset"]), asked["protected"], carried)
            asked["back_url"] = request.get_full_path()
        return response

    def _asked(self, objs: list[Any], refusals: Any, carried: dict[str, Any]) -> dict[str, Any]:
        found = self.consequences(objs)
        if not found.question:
            kind = model_ngettext(self.opts, len(objs))
            text = _("Delete %(n)d %(kind)s?") % {"n": len(objs), "kind": kind}
            found = replace(found, question=text)
        context = asking.shown(found, objs, len(objs), {**carried, "post": ["yes"]})
        return context | {"refusals": refusals, "title": found.question}

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return self._noted(obj, super().log_addition(request, obj, message))

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return self._noted(obj, super().log_change(request, obj, message))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            audit.note(obj)
        return super().log_deletions(request, queryset)

    def _noted(self, obj: Any, entry: Any) -> Any:
        """What Django keeps for the history of one object is in the audit log as well."""
        audit.note(obj, entry.get_change_message())
        return entry


class ReadOnlyAdmin(ReadOnlyRights, RoleAdmin):
    """A page that only shows."""

    warn_unsaved_form = False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Without the button to a history that nobody can make."""
        context = {"show_history": False, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)


class ReadOnlyInline(ReadOnlyRights, TabularInline):
    """Rows under another page, to be looked at."""

    extra = 0
    can_delete = False


def button(
    description: Any,
    question: Any = "",
    *,
    right: str = "operate",
    icon: str = "",
    variant: ActionVariant = ActionVariant.DEFAULT,
    form_class: type[BaseDialogForm] | None = None,
) -> Callable[[Callable[..., str | None]], Any]:
    """Makes `method(self, request, obj)` a button of the change page that asks before it acts.

    With a `form_class` the question has fields, and the method is given the valid form as well. The
    page is shown again, or the one whose address the method returns.

    Unfold's own buttons act on GET, which any link on any site could trigger; this one acts on a
    POST with its CSRF token.
    """

    def decorate(method: Callable[..., str | None]) -> Any:
        @wraps(method)
        def pressed(self: Any, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
            obj = self.get_object(request, unquote(object_id))
            if obj is None:
                raise Http404
            url = method(self, request, obj, *([form] if form_class else []))
            return _show(request, url or change_url(obj))

        dialog: Any = {
            "title": description,
            "description": question,
            "form_class": form_class,
            "form_submit_text": description,
        }
        return action(
            pressed,
            description=description,
            permissions=[right],
            icon=icon or None,
            variant=variant,
            dialog=dialog,
        )

    return decorate


def _show(request: HttpRequest, url: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def page(
    request: HttpRequest, template: str, title: Any, model: type[Any], context: dict[str, Any]
) -> TemplateResponse:
    """A page of the console that is neither a list nor a row, under the pages of `model`."""
    base = admin.site.each_context(request)
    return TemplateResponse(
        request, template, {**base, "title": title, "opts": model._meta, **context}
    )


def change_url(obj: Any) -> str:
    """The page of a row."""
    meta = obj._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=(quote(obj.pk),))


MERGED = (
    "list_display",
    "list_filter",
    "actions",
    "actions_detail",
    "actions_list",
    "inlines",
    "search_fields",
    "page_top",
)


def extend(model: type[Any]) -> Callable[[type[Any]], type[Any]]:
    """Adds a mixin of a higher app to the page of a model below it, so that the lower app needs not
    know.

    What the mixin gives for the lists in MERGED is added to those of the page; its methods come
    first.
    """

    def decorate(mixin: type[Any]) -> type[Any]:
        page = type(admin.site._registry[model])
        merged = {
            name: (*(getattr(page, name) or ()), *vars(mixin)[name])
            for name in MERGED
            if name in vars(mixin)
        }
        admin.site.unregister(model)
        admin.site.register(model, type(page.__name__, (mixin, page), merged))
        return mixin

    return decorate
