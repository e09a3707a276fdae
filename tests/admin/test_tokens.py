"""The page of API tokens: everybody makes their own, administrators see all."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.admin.conftest import person
from tests.api.conftest import client_of
from tests.api.envelope import check_ok
from whalefall.models import ApiToken, AuditEntry, User

TOKENS = "/admin/whalefall/apitoken/"


def make(client, **values):
    form = {"name": "nightly report", "scope": "read", "days": "30"} | values
    return client.post(f"{TOKENS}add/", form)


def text_of(response) -> str:
    return re.search(r'value="(wf_[0-9a-f]{12}_[\w-]+)"', response.content.decode())[1]


@pytest.fixture
def foreign(db):
    """The token of somebody else."""
    somebody = User.objects.create_user("somebody")
    in_a_week = timezone.now() + timedelta(days=7)
    return ApiToken.objects.issue(somebody, "backup script", "read", in_a_week)[0]


def test_a_viewer_makes_one_that_lets_a_program_in(viewer):
    program = client_of()
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {text_of(make(viewer))}")
    assert check_ok(program.get("/api/v1/auth/me"))["username"] == "viewer"


def test_it_is_shown_once_and_kept_nowhere(viewer):
    response = make(viewer)
    assert "no-store" in response["Cache-Control"]
    secret = text_of(response)[16:]
    token = ApiToken.objects.get()
    for path in (TOKENS, f"{TOKENS}{token.pk}/change/"):
        assert secret not in viewer.get(path).content.decode()
    assert secret not in str(ApiToken.objects.values())
    assert secret not in str(viewer.session.items())
    assert secret not in str(AuditEntry.objects.values())


def test_it_is_what_was_asked_for(operator):
    make(operator, scope="full", days="7")
    token = ApiToken.objects.get()
    assert (token.user.username, token.scope) == ("operator", "full")
    assert round((token.expires_at - token.created_at) / timedelta(days=1), 3) == 7


@pytest.mark.parametrize(
    "values", [{"name": ""}, {"days": "367"}, {"days": "0"}, {"scope": "all"}], ids=str
)
def test_what_is_not_offered_is_refused(viewer, values):
    assert make(viewer, **values).status_code == 200
    assert not ApiToken.objects.exists()


def test_nobody_makes_one_for_somebody_else(administrator):
    other = person("viewer")
    make(administrator, user=other.pk)
    assert ApiToken.objects.get().user.username == "administrator"


def test_others_tokens_are_not_there(viewer, foreign):
    assert foreign.name not in viewer.get(TOKENS).content.decode()
    assert viewer.get(f"{TOKENS}{foreign.pk}/change/").status_code == 302
    viewer.post(
        TOKENS, {"action": "revoke_selected", "confirmed": "yes", "_selected_action": foreign.pk}
    )
    viewer.post(f"{TOKENS}{foreign.pk}/revoke/")
    foreign.refresh_from_db()
    assert not foreign.revoked_at


def test_one_revokes_ones_own(viewer):
    make(viewer)
    token = ApiToken.objects.get()
    viewer.post(
        TOKENS, {"action": "revoke_selected", "confirmed": "yes", "_selected_action": token.pk}
    )
    token.refresh_from_db()
    assert token.revoked_at


def test_an_administrator_revokes_anybodys(administrator, foreign):
    administrator.post(
        TOKENS, {"action": "revoke_selected", "confirmed": "yes", "_selected_action": foreign.pk}
    )
    foreign.refresh_from_db()
    assert foreign.revoked_at
    assert AuditEntry.objects.get().action == "revoke_selected"


def test_it_shows_no_digest(administrator, foreign):
    page = administrator.get(f"{TOKENS}{foreign.pk}/change/").content.decode()
    assert f"wf_{foreign.prefix}" in page
    assert foreign.digest not in page


def test_nobody_changes_or_deletes_one(administrator, foreign):
    assert administrator.post(f"{TOKENS}{foreign.pk}/change/", {"name": "x"}).status_code == 403
    assert administrator.post(f"{TOKENS}{foreign.pk}/delete/", {"post": "yes"}).status_code == 403


def test_making_one_is_in_the_audit_log(viewer):
    make(viewer)
    entry = AuditEntry.objects.get()
    assert (entry.username, entry.action, entry.result) == ("viewer", "add", "done")
    assert entry.object_name.startswith("nightly report (wf_")


def test_who_has_no_role_makes_none(nobody):
    assert make(nobody).url.startswith("/admin/login/")
    assert not ApiToken.objects.exists()


def test_new_ones_are_limited(viewer, settings):
    settings.RATES = {**settings.RATES, "tokens": "1/h"}
    make(viewer)
    assert make(viewer).status_code == 429
    assert User.objects.get(username="viewer").api_tokens.count() == 1
