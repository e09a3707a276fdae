import json

import pytest

from classification.dsl.errors import InvalidExpression
from classification.dsl.nodes import describe
from classification.dsl.parser import MAX_LEVELS, MAX_NODES, parse
from tests.classification.cast import call, text

SUPER = call("has_capability", name="SUPERUSER")


def faults(source, db_type="mysql"):
    with pytest.raises(InvalidExpression) as caught:
        parse(source, db_type)
    return [fault.as_json() for fault in caught.value.faults]


def messages(expr, db_type="mysql"):
    return [f"{fault['path']}: {fault['message']}" for fault in faults(text(expr), db_type)]


def test_every_fault_is_named_with_its_path_at_once():
    expr = {
        "op": "AND",
        "args": [
            call("has_capabilty", name="SUPERUSER"),
            {"op": "OR", "args": []},
            call("has_privilege", name="SELECT", scope="databse", databases="x"),
            call("password_older_than", days="90"),
        ],
    }
    assert [fault["path"] for fault in faults(text(expr))] == [
        "expr.args[0].fn",
        "expr.args[1].args",
        "expr.args[2].args.databases",
        "expr.args[2].args.scope",
        "expr.args[3].args.days",
    ]


def test_a_typo_gets_a_suggestion_and_the_choices():
    fault = faults(text(call("has_rol", name="dba")))[0]
    assert fault["code"] == "unknown_function"
    assert fault["message"].startswith("Unknown function: has_rol. Must be one of: account_kind_in")
    assert fault["hint"] == "Did you mean has_role?"
    assert "has_role" in fault["choices"]


def test_a_wrong_scope_names_the_scopes():
    fault = faults(text(call("has_privilege", name="SELECT", scope="Table")))[0]
    assert fault["path"] == "expr.args.scope"
    assert fault["hint"] == "Did you mean table?"
    assert fault["choices"][:2] == ["global", "server"]


def test_an_unknown_argument_names_the_known_ones():
    assert messages(call("has_role", name="dba", directly=True)) == [
        "expr.args.directly: Unknown argument: directly. Must be one of: name, direct, reach"
    ]


def test_a_missing_argument_is_named():
    assert messages(call("has_privilege", name="SELECT"))[0] == (
        "expr.args.scope: This argument is missing."
    )


@pytest.mark.parametrize(
    ("expr", "said"),
    [
        ({"op": "AND", "args": []}, "expr.args: AND needs at least one node."),
        ({"op": "NOT", "args": [SUPER, SUPER]}, "expr.args: NOT takes exactly one node, not 2."),
        (
            {"op": "and", "args": [SUPER]},
            "expr.op: Unknown operator: and. Must be one of: AND, OR, NOT",
        ),
        ({"op": "AND", "args": SUPER}, "expr.args: Must be a list of nodes, not "),
        (["x"], "expr: Must be an object with op or fn, not ['x']."),
        ({}, "expr: A node needs op (AND, OR, NOT) or fn (a function)."),
        ({"op": "AND", "fn": "x", "args": []}, "expr: A node has either op or fn, not both."),
        ({"op": 7, "args": [SUPER]}, "expr.op: Must be text, not 7."),
        ({"fn": None}, "expr.fn: Must be text, not None."),
        ({"fn": "is_locked", "args": [1]}, "expr.args: Must be an object, not [1]."),
        (
            {"fn": "is_locked", "arg": {}},
            "expr.arg: Unknown key: arg. Must be one of: fn, args",
        ),
        (call("db_type_in", types=[]), "expr.args.types: Must name at least one."),
        (call("db_type_in", types=["mysq"]), "expr.args.types[0]: Unknown engine: mysq."),
        (call("has_role", name=""), "expr.args.name: Must not be empty."),
        (call("has_role", name=7), "expr.args.name: Must be text, not 7."),
        (call("has_role", name="x" * 400), "expr.args.name: Must not be longer than 340"),
        (call("has_role", name="a\0b"), "expr.args.name: Holds a character that no name can have"),
        (call("has_role", name="\ud800"), "expr.args.name: Holds a character that no name"),
        (call("has_role", name="a", direct=1), "expr.args.direct: Must be true or false, not 1."),
        (call("password_older_than", days=True), "expr.args.days: Must be a whole number of days"),
        (call("password_older_than", days=-1), "expr.args.days: Must lie between 0 and 36500."),
        (call("has_role", name="a", reach="x"), "expr.args.reach: Unknown reach: x."),
    ],
)
def test_it_says_what_is_wrong(expr, said):
    assert messages(expr)[0].startswith(said)


@pytest.mark.parametrize(
    ("source", "path", "said"),
    [
        ("{", "", "This is not JSON: "),
        ("[]", "", "Must be an object with version and expr, not []."),
        ('{"version": 3, "expr": {"fn": "is_locked"}}', "version", "The version must be 4."),
        ('{"expr": {"fn": "is_locked"}}', "version", "The version must be 4."),
        ('{"version": 4}', "expr", "The expression is missing."),
        (
            '{"version": 4, "expr": {"fn": "is_locked"}, "note": 1}',
            "note",
            "Unknown key: note. Must be one of: version, expr",
        ),
        (
            '{"version": 4, "expr": {"fn": "is_locked", "fn": "can_login"}}',
            "",
            "The key fn stands twice in one object.",
        ),
        ("x" * 2_100_000, "", "The expression is longer than 2000000 characters."),
        ("[" * 200_000, "expr", "The expression is nested deeper than 50 levels."),
    ],
)
def test_it_says_what_is_wrong_with_the_whole(source, path, said):
    fault = faults(source)[0]
    assert (fault["path"], fault["message"][: len(said)]) == (path, said)


def test_ten_thousand_nodes_are_refused_with_the_limit():
    expr = {"op": "OR", "args": [SUPER] * 10_000}
    assert messages(expr) == ["expr: The expression has more than 1000 nodes."]


def test_two_hundred_levels_are_refused_with_the_limit():
    expr = SUPER
    for _ in range(200):
        expr = {"op": "NOT", "args": [expr]}
    assert messages(expr) == ["expr: The expression is nested deeper than 50 levels."]


def test_the_largest_tree_allowed_is_read():
    deep = SUPER
    for _ in range(MAX_LEVELS - 1):
        deep = {"op": "NOT", "args": [deep]}
    assert parse(text(deep), "mysql")
    assert parse(text({"op": "OR", "args": [SUPER] * (MAX_NODES - 1)}), "mysql")


def test_the_canonical_text_is_sorted_unescaped_and_without_defaults():
    source = json.dumps(
        {
            "expr": {
                "fn": "has_role",
                "args": {"reach": "login", "name": "数据库", "direct": False},
            },
            "version": 4,
        }
    )
    canonical = parse(source, "mysql").canonical()
    assert canonical == '{"expr":{"args":{"name":"数据库"},"fn":"has_role"},"version":4}'
    assert parse(canonical, "mysql").canonical() == canonical


def test_an_expression_reads_in_plain_words():
    expr = {
        "op": "AND",
        "args": [
            call("has_privilege", name="UPDATE", scope="table", object="sales.*"),
            {"op": "NOT", "args": [call("has_role", name="dba", direct=True, reach="either")]},
            {"op": "OR", "args": [call("is_locked"), call("password_older_than", days=365)]},
        ],
    }
    assert describe(parse(text(expr), "mysql").root) == (
        "has UPDATE at scope table on sales.*"
        " and not (is directly in role dba at login or by SET ROLE)"
        " and (is locked or has a password older than 365 days)"
    )


def test_a_host_is_asked_only_where_accounts_have_one():
    assert messages(call("host_matches", pattern="%"), "postgresql") == [
        "expr.fn: Accounts of this engine have no host."
    ]
