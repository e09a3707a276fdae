from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from accounts.effective import Graph
from tests.accounts.world import member
from whalefall.engines.base import Rules


def graph(*memberships):
    return Graph(memberships, Rules())


def test_a_role_of_a_role_is_held_with_the_path_to_it():
    roles = graph(member("alice", "team_rw"), member("team_rw", "dba")).has("alice")
    assert roles == {"team_rw": ("team_rw",), "dba": ("team_rw", "dba")}


def test_the_shortest_of_two_paths_wins():
    edges = [("alice", "a"), ("a", "b"), ("b", "dba"), ("alice", "z"), ("z", "dba")]
    assert graph(*(member(*edge) for edge in edges)).has("alice")["dba"] == ("z", "dba")


def test_of_two_equally_short_paths_the_first_by_name_wins():
    edges = [("alice", "z"), ("z", "dba"), ("alice", "b"), ("b", "dba")]
    assert graph(*(member(*edge) for edge in edges)).has("alice")["dba"] == ("b", "dba")


def test_a_circle_ends_and_no_role_is_in_itself():
    circle = graph(member("a", "b"), member("b", "c"), member("c", "a"), member("alice", "b"))
    assert circle.has("a") == {"b": ("b",), "c": ("b", "c")}
    assert set(circle.has("alice")) == {"a", "b", "c"}


def test_a_role_that_is_not_inherited_is_reached_but_not_held():
    found = graph(member("alice", "dba", inherit=False))
    assert found.has("alice") == {}
    assert found.reach("alice") == {"dba": ("dba",)}


def test_the_admin_option_comes_through_a_role_too():
    found = graph(member("alice", "lead"), member("lead", "dba", admin=True))
    assert found.admin_of("alice") == {"dba": ("lead",)}
    assert found.admin_of("lead") == {"dba": ()}


def test_accounts_with_the_same_roles_share_one_closure():
    found = graph(*(member(name, "team") for name in ("alice", "bob")), member("team", "dba"))
    assert found.has("alice") is found.has("bob")


ROLES = st.sampled_from("abcdef")
EDGES = st.lists(
    st.builds(member, ROLES, ROLES, inherit=st.booleans(), set=st.booleans()), max_size=14
)


def walked(edges, start):
    """Shortest distances by trying ever longer walks, a second and simpler way."""
    found, front = {}, {start}
    for distance in range(1, 7):
        front = {edge.role for edge in edges if edge.member in front}
        for role in front - {start}:
            found.setdefault(role, distance)
    return found


@given(EDGES, ROLES)
def test_closures_agree_with_walking_all_the_ways(edges, start):
    found = graph(*edges)
    applied = [edge for edge in edges if edge.inherit]
    settable = [edge for edge in edges if edge.set]
    for closure, kept in ((found.has(start), applied), (found.reach(start), settable)):
        assert {role: len(path) for role, path in closure.items()} == walked(kept, start)


@given(EDGES, ROLES)
def test_every_path_is_a_walk_that_the_memberships_allow(edges, start):
    steps = {(edge.member, edge.role) for edge in edges if edge.inherit}
    for role, path in graph(*edges).has(start).items():
        assert path[-1] == role
        assert set(pairwise((start, *path))) <= steps
