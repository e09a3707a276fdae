"""Equal texts of one reading are one object, whatever the driver made of them."""

from whalefall.engines.observed import ObservedAccount, ObservedGrant, ObservedMembership, Scope
from whalefall.engines.sharing import Sharing


def fresh(text):
    """An equal text, as each row of a driver brings its own."""
    return "".join(list(text))


def grant(name, on):
    return ObservedGrant(fresh(name), fresh("SELECT"), Scope.TABLE, fresh("shop"), None, fresh(on))


def read():
    sharing = Sharing()
    accounts = [
        ObservedAccount(name, attributes={"plugin": fresh("native")}) for name in ("app_rw", "li")
    ]
    accounts = list(sharing.accounts(accounts))
    (edge,) = sharing.memberships([ObservedMembership(fresh("app_rw"), fresh("li"))])
    grants = [grant("app_rw", "orders"), grant("app_rw", "orders"), grant("nobody", "items")]
    return accounts, edge, list(sharing.grants(grants))


def test_names_of_accounts_are_those_of_the_accounts():
    (app, li), edge, (first, *_rest) = read()
    assert edge.member is first.grantee is app.username
    assert edge.role is li.username


def test_equal_attributes_are_kept_once():
    (app, li), _edge, _grants = read()
    assert app.attributes is li.attributes == {"plugin": "native"}


def test_what_grants_repeat_is_kept_once():
    _accounts, _edge, (first, second, third) = read()
    assert first.privilege is second.privilege is third.privilege
    assert first.database is third.database
    assert first.object is second.object


def test_nothing_else_changes():
    _accounts, edge, grants = read()
    assert edge == ObservedMembership("app_rw", "li")
    assert grants == [grant("app_rw", "orders")] * 2 + [grant("nobody", "items")]
