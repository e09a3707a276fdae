"""The page of API tokens."""

from tests.admin import fleet


def test_an_administrator_revokes_one(administrator):
    token = fleet.api_token()
    administrator.post(
        "/admin/whalefall/apitoken/", {"action": "revoke_selected", "_selected_action": token.pk}
    )
    token.refresh_from_db()
    assert token.revoked_at


def test_it_shows_no_digest(administrator):
    token = fleet.api_token()
    page = administrator.get(f"/admin/whalefall/apitoken/{token.pk}/change/").content.decode()
    assert f"wf_{token.prefix}" in page
    assert token.digest not in page
