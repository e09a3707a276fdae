"""No two principals of an instance share a name."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from whalefall.engines.sqlserver.names import bare, in_database, literal, of_server, quoted

NAMES = st.text(st.sampled_from("ab@[]"), min_size=1, max_size=5)


def test_a_user_is_named_by_its_database():
    assert in_database("app", "sales") == "app@sales"


def test_what_could_be_mistaken_is_bracketed():
    assert in_database("a@b", "sa]les") == "[a@b]@[sa]]les]"
    assert of_server("app@sales", {"sales"}) == "[app@sales]"
    assert of_server("li@corp.example", {"sales"}) == "li@corp.example"


@given(st.sets(st.tuples(NAMES, NAMES), max_size=6), st.sets(NAMES, max_size=6))
def test_no_two_principals_share_a_name(users, logins):
    databases = {database for _, database in users}
    names = [in_database(*user) for user in users] + [of_server(n, databases) for n in logins]
    assert len(names) == len(set(names))


def test_quoting():
    assert quoted("a]b") == "[a]]b]"
    assert literal("it's") == "N'it''s'"


@given(NAMES, st.sets(NAMES, max_size=3))
def test_a_logins_own_name_is_found_again(login, databases):
    assert bare(of_server(login, databases)) == login
