"""Pages of the jobs and of django-q2's queue, in the look and with the rights of the console."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_q.models import Failure, OrmQ, Schedule, Success
from unfold.widgets import UnfoldAdminTextInputWidget

from sync import jobs, queue
from whalefall.console import show
from whalefall.console.asking import Consequences
from whalefall.console.filters import TimeRangeFilter
from whalefall.console.pages import ReadOnlyAdmin, RoleAdmin, button

for model in (Schedule, Success, Failure, OrmQ):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class JobForm(forms.ModelForm):
    """When a built-in job runs."""

    cron = forms.CharField(
        label=_("Cron expression"),
        help_text=_("Minute, hour, day of the month, month, day of the week: 0 1 * * * is 01:00."),
        widget=UnfoldAdminTextInputWidget,
    )

    class Meta:
        model = Schedule
        fields = ("cron",)

    def clean_cron(self) -> str:
        cron: str = self.cleaned_data["cron"].strip()
        jobs.check_cron(cron)
        return cron


@admin.register(Schedule)
class JobAdmin(RoleAdmin):
    """The built-in jobs: when they run, and the buttons to run, pause and resume them."""

    menu = "runs"
    menu_icon = "schedule"
    menu_order = 30
    menu_title = _("Jobs")
    form = JobForm
    list_display = ("name", "title", "when", "state", "next", "last")
    search_fields = ("name",)
    actions = ("run_selected", "pause_selected", "resume_selected")
    actions_detail = ("run", "pause", "resume")
    fields = ("title", "cron", "when", "state", "next", "last")
    readonly_fields = ("title", "when", "state", "next", "last")

    def row_title(self, row: Any) -> str:
        return str(row.name)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Schedule]:
        return jobs.with_last_run()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        jobs.set_cron(obj.name, form.cleaned_data["cron"])

    @admin.display(description=_("what it does"))
    def title(self, schedule: Any) -> Any:
        return jobs.JOBS[schedule.name].title

    @admin.display(description=_("when"), ordering="cron")
    def when(self, schedule: Any) -> Any:
        words = jobs.in_words(schedule.cron)
        return show.with_small(words, schedule.cron) if words else schedule.cron

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """A running job is paused, a paused one resumed."""
        found = Schedule.objects.filter(pk=object_id).first()
        other = "pause" if found and jobs.is_paused(found) else "resume"
        actions = super().get_actions_detail(request, object_id)
        return [one for one in actions if one.method.original_function_name != other]

    @admin.display(description=_("state"))
    def state(self, schedule: Any) -> Any:
        if jobs.is_paused(schedule):
            return show.badge(_("paused"), "warning")
        return show.badge(_("active"), "success")

    @admin.display(description=_("next run"), ordering="next_run")
    def next(self, schedule: Any) -> Any:
        return show.EMPTY if jobs.is_paused(schedule) else show.ago(schedule.next_run)

    @admin.display(description=_("last run"))
    def last(self, schedule: Any) -> Any:
        if schedule.last_stopped is None:
            return show.EMPTY
        tone = "success" if schedule.last_success else "danger"
        return show.badge(show.ago(schedule.last_stopped), tone)

    @admin.action(description=_("Run now"), permissions=["manage"])
    def run_selected(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        self._each(request, queryset, jobs.run)

    @admin.action(description=_("Pause"), permissions=["manage"])
    def pause_selected(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        self._each(request, queryset, jobs.pause)

    @admin.action(description=_("Resume"), permissions=["manage"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        self._each(request, queryset, jobs.resume)

    @button(_("Run now"), right="manage", icon="play_arrow")
    def run(self, request: HttpRequest, schedule: Any) -> None:
        self._each(request, [schedule], jobs.run)

    @button(_("Pause"), right="manage", icon="pause")
    def pause(self, request: HttpRequest, schedule: Any) -> None:
        self._each(request, [schedule], jobs.pause)

    @button(_("Resume"), right="manage", icon="resume")
    def resume(self, request: HttpRequest, schedule: Any) -> None:
        self._each(request, [schedule], jobs.resume)

    def _each(self, request: HttpRequest, schedules: Any, step: Any) -> None:
        done = 0
        for schedule in schedules:
            step(schedule.name)
            self.log_change(request, schedule, step.__name__)
            done += 1
        text = ngettext("Done for %(n)d job.", "Done for %(n)d jobs.", done) % {"n": done}
        self.message_user(request, text, messages.SUCCESS)
        if step is jobs.run and not queue.live_workers():
            warning = _("No worker is alive: it runs when one starts (manage.py qcluster).")
            self.message_user(request, warning, messages.WARNING)


class TaskAdmin(ReadOnlyAdmin):
    """Tasks that have ended; what they did to instances is in the records."""

    menu = "runs"
    list_display = ("what", "began", "took")
    list_filter = (("started", TimeRangeFilter),)
    search_fields = ("name", "func", "group")
    fields = ("what", "function", "arguments", "outcome", "began", "took", "tries")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("args", "kwargs", "result")

    def row_title(self, row: Any) -> str:
        return self.what(row)

    @admin.display(description=_("what it does"), ordering="func")
    def what(self, task: Any) -> str:
        return str(jobs.TASKS.get(task.func, task.func))

    @admin.display(description=_("function"))
    def function(self, task: Any) -> str:
        return str(task.func)

    @admin.display(description=_("started"), ordering="started")
    def began(self, task: Any) -> Any:
        return show.ago(task.started)

    @admin.display(description=_("tries"))
    def tries(self, task: Any) -> int:
        return int(task.attempt_count)

    @admin.display(description=_("duration"))
    def took(self, task: Any) -> str:
        return f"{task.time_taken():.2f} s"

    @admin.display(description=_("arguments"))
    def arguments(self, task: Any) -> Any:
        return show.pretty_json([task.args or [], task.kwargs or {}])

    @admin.display(description=_("result"))
    def outcome(self, task: Any) -> Any:
        return show.pretty_json(task.result)


@admin.register(Success)
class SuccessAdmin(TaskAdmin):
    empty_hint = _("The work of the workers stands here when it has ended.")
    menu_icon = "task_alt"
    menu_order = 50
    menu_title = _("Tasks that ended well")


@admin.register(Failure)
class FailureAdmin(TaskAdmin):
    empty_hint = _("No task has failed.")
    menu_icon = "error"
    menu_order = 60
    menu_title = _("Tasks that failed")


class QueueAdmin(RoleAdmin):
    """What waits for a worker. An administrator may take a task out."""

    empty_hint = _("Nothing waits for a worker.")
    menu = "runs"
    menu_icon = "pending_actions"
    menu_order = 40
    menu_title = _("Queue")
    list_display = ("what", "arguments", "since")
    list_display_links = None
    ordering = ("id",)

    def consequences(self, objs: Sequence[Any]) -> Consequences:
        return Consequences(
            happens=(_("What these tasks were to do is not done."),),
            stays=(_("Records of sessions that still wait are queued again after a while."),),
            back=_("Run the job again, or begin a new session."),
        )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("what it does"))
    def what(self, queued: Any) -> str:
        return str(jobs.TASKS.get(queued.func(), queued.func()))

    @admin.display(description=_("arguments"))
    def arguments(self, queued: Any) -> str:
        return str(queued.args() or "")

    @admin.display(description=_("available"), ordering="lock")
    def since(self, queued: Any) -> Any:
        return show.ago(queued.lock)


if "orm" in settings.Q_CLUSTER:  # with Redis nothing waits in this table
    admin.site.register(OrmQ, QueueAdmin)
