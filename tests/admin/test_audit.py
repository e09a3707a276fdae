"""What people do in the console is in the audit log."""

from tags.models import Tag
from tests.admin import fleet
from whalefall.models import AuditEntry

INSTANCES = "/admin/instances/instance/"


def entries() -> list[tuple[str, str, str]]:
    found = AuditEntry.objects.order_by("id")
    return list(found.values_list("action", "object_name", "result"))


def test_an_action_names_itself_and_its_objects(administrator, orders_db):
    administrator.post(
        INSTANCES, {"action": "recycle", "confirmed": "yes", "_selected_action": orders_db.pk}
    )
    assert entries() == [("recycle", "orders-db", "done")]


def test_several_objects_are_listed(operator):
    chosen = [fleet.instance("orders-db"), fleet.instance("users-db")]
    tag = Tag.objects.create(name="gold", display_name="Gold")
    form = {"action": "change_tags", "_selected_action": [one.pk for one in chosen]}
    operator.post(INSTANCES, form | {"step": "preview", "what": "assign", "tags": tag.pk})
    operator.post(INSTANCES, form | {"step": "apply", "what": "assign", "tags": tag.pk})
    details = AuditEntry.objects.get().details
    assert details == {"changes": ["tags: assign gold"], "objects": ["orders-db", "users-db"]}


def test_the_page_names_kinds_and_objects_as_people_do(operator, administrator):
    tag = Tag.objects.create(name="gold", display_name="Gold")
    chosen = [fleet.instance("orders-db"), fleet.instance("users-db")]
    form = {"action": "change_tags", "_selected_action": [one.pk for one in chosen]}
    operator.post(INSTANCES, form | {"step": "apply", "what": "assign", "tags": tag.pk})
    page = administrator.get("/admin/whalefall/auditentry/").content.decode()
    for text in (">changed tags<", ">instance<", "orders-db, users-db"):
        assert text in page


def test_a_look_at_a_credential_is_kept(viewer):
    pk = fleet.credential().pk
    viewer.get(f"/admin/instances/credential/{pk}/change/")
    found = AuditEntry.objects.get()
    assert (found.action, found.object_id, found.object_name) == ("view", str(pk), "collector")


def test_a_form_that_is_shown_again_is_no_entry(administrator):
    administrator.post("/admin/tags/tag/add/", {"name": ""})
    assert not entries()


def test_a_write_that_is_not_allowed_is_kept(viewer, orders_db):
    viewer.post(f"{INSTANCES}{orders_db.pk}/delete/", {"post": "yes"})
    assert [(action, result) for action, _name, result in entries()] == [("delete", "refused")]


def test_a_login_is_kept(client, db, django_user_model):
    fleet_user = django_user_model.objects.create_superuser("root", password="orca-swims-deep-7")
    client.post("/admin/login/", {"username": "root", "password": "orca-swims-deep-7"})
    found = AuditEntry.objects.get()
    assert (found.user, found.action, found.result) == (fleet_user, "login", "done")


def test_a_failed_login_is_kept_as_refused(client, db, django_user_model):
    django_user_model.objects.create_superuser("root", password="orca-swims-deep-7")
    client.post("/admin/login/", {"username": "root", "password": "wrong"})
    found = AuditEntry.objects.get()
    assert (found.username, found.action, found.result) == ("root", "login", "refused")
