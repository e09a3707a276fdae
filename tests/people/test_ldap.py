"""Sign-in with the password of a directory: a real OpenLDAP, through the login form and the API."""

from __future__ import annotations

import os
from importlib.util import find_spec

import pytest
from axes.models import AccessAttempt
from django.test import Client

from tests.api.conftest import client_of
from tests.api.envelope import check_failed, check_ok
from tests.servers.base import Unavailable
from tests.servers.slapd import SlapdServer
from whalefall.auth import role_of
from whalefall.models import ExternalIdentity, User

pytestmark = [pytest.mark.live, pytest.mark.django_db, pytest.mark.xdist_group("ldap")]
PASSWORD = "orca-swims-deep-7"
BASE = "dc=example,dc=com"
PEOPLE, GROUPS = f"ou=people,{BASE}", f"ou=groups,{BASE}"
COLLECTOR = f"cn=reader,{BASE}"
LOGIN = "/api/v1/auth/login"
ROLES = {"administrator": [f"cn=dba-leads,{GROUPS}"], "operator": ["DBAs"], "viewer": ["*"]}


@pytest.fixture(scope="module")
def slapd():
    server = SlapdServer()
    try:
        if find_spec("ldap") is None:
            raise Unavailable("python-ldap is not installed: make setup-test says what it needs")
        server.start()
    except Unavailable as exc:
        server.stop()
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(exc))
    fill(server)
    yield server
    server.stop()


def connect(server):
    import ldap

    connection = ldap.initialize(server.url)
    connection.set_option(ldap.OPT_X_TLS_CACERTFILE, str(server.ca))
    connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
    connection.start_tls_s()
    connection.simple_bind_s(server.admin_username, server.admin_password)
    return connection


def add(connection, dn: str, kind: str, **values) -> None:
    lists = {name: value if isinstance(value, list) else [value] for name, value in values.items()}
    entry = {"objectClass": kind.split(), **lists}
    connection.add_s(
        dn, [(name, [str(each).encode() for each in found]) for name, found in entry.items()]
    )


def fill(server) -> None:
    connection = connect(server)
    add(connection, BASE, "dcObject organization", dc="example", o="Example")
    for name in ("people", "groups", "hidden"):
        add(connection, f"ou={name},{BASE}", "organizationalUnit", ou=name)
    reader = {"cn": "reader", "userPassword": PASSWORD}
    add(connection, COLLECTOR, "organizationalRole simpleSecurityObject", **reader)
    for name in ("vera", "otto", "ada"):
        person = {"cn": name, "sn": name.title(), "givenName": "The", "mail": f"{name}@example.com"}
        dn = f"uid={name},{PEOPLE}"
        add(connection, dn, "inetOrgPerson", uid=name, userPassword=PASSWORD, **person)
    group(connection, "dbas", f"uid=otto,{PEOPLE}", f"cn=dba-leads,{GROUPS}")
    group(connection, "dba-leads", f"uid=ada,{PEOPLE}")


def group(connection, name: str, *members: str) -> None:
    add(connection, f"cn={name},{GROUPS}", "groupOfNames", cn=name, member=list(members))


@pytest.fixture
def directory(slapd, settings):
    settings.LDAP_URL, settings.LDAP_START_TLS = slapd.url, True
    settings.LDAP_CA_FILE = str(slapd.ca)
    settings.LDAP_BIND_DN, settings.LDAP_BIND_PASSWORD = COLLECTOR, PASSWORD
    settings.LDAP_USER_BASE, settings.LDAP_GROUP_BASE = PEOPLE, GROUPS
    settings.LDAP_ROLES = ROLES
    backend = "whalefall.directory.DirectoryBackend"
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, backend]
    User.objects.create_superuser("root", password=PASSWORD)
    return slapd


def log_in(name: str, password: str = PASSWORD):
    return client_of().post(LOGIN, {"username": name, "password": password})


def test_people_come_in_with_the_roles_of_their_groups(directory):
    found = {name: check_ok(log_in(name))["role"] for name in ("vera", "otto", "ada")}
    assert found == {"vera": "viewer", "otto": "operator", "ada": "administrator"}
    otto = User.objects.get(username="otto")
    assert (otto.get_full_name(), otto.email) == ("The Otto", "otto@example.com")
    assert not otto.has_usable_password()


def test_the_login_form_lets_them_in(directory):
    client = Client()
    form = {"username": "otto", "password": PASSWORD}
    assert client.post("/admin/login/?next=/admin/", form).url == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_group_within_a_group_counts(directory, settings):
    settings.LDAP_ROLES = {"operator": ["dbas"]}
    assert check_ok(log_in("ada"))["role"] == "operator"


def test_a_role_goes_when_the_group_is_left(directory):
    log_in("otto")
    connection = connect(directory)
    connection.rename_s(f"cn=dbas,{GROUPS}", "cn=others")
    try:
        assert check_ok(log_in("otto"))["role"] == "viewer"
    finally:
        connection.rename_s(f"cn=others,{GROUPS}", "cn=dbas")


def test_somebody_no_group_of_whom_counts_has_no_role(directory, settings):
    settings.LDAP_ROLES = {"operator": ["dbas"]}
    log_in("vera")
    assert role_of(User.objects.get(username="vera")) is None


@pytest.mark.parametrize("password", ["wrong", " ", PASSWORD.upper()])
def test_a_wrong_password_is_refused_and_counted(directory, password):
    check_failed(log_in("otto", password), 401, "INVALID_CREDENTIALS")
    assert AccessAttempt.objects.get().failures_since_start == 1


def test_an_empty_password_never_binds(directory):
    assert log_in("otto", "").status_code == 400
    client = Client()
    client.post("/admin/login/", {"username": "otto", "password": ""})
    assert not ExternalIdentity.objects.exists()


@pytest.mark.parametrize("name", ["*", "ott*", "otto)(uid=*", "nobody", "reader"])
def test_a_name_is_never_read_as_a_filter(directory, name):
    check_failed(log_in(name), 401, "INVALID_CREDENTIALS")


def test_our_own_people_come_in_as_before(directory):
    assert check_ok(log_in("root"))["role"] == "administrator"


def test_nobody_becomes_one_of_ours_by_having_the_name(directory):
    User.objects.create_user("otto", password="another-word-of-ours-1")
    check_failed(log_in("otto"), 403, "SIGN_IN_REFUSED")
    assert not ExternalIdentity.objects.exists()


def test_who_was_renamed_there_stays_the_same_person(directory):
    log_in("vera")
    connection = connect(directory)
    connection.rename_s(f"uid=vera,{PEOPLE}", "uid=vera2")
    try:
        check_ok(log_in("vera2"))
        assert ExternalIdentity.objects.get().user.username == "vera"
    finally:
        connection.rename_s(f"uid=vera2,{PEOPLE}", "uid=vera")


def test_a_disabled_person_is_told_so(directory):
    log_in("otto")
    User.objects.filter(username="otto").update(is_active=False)
    check_failed(log_in("otto"), 403, "SIGN_IN_REFUSED")


@pytest.mark.parametrize(
    "broken",
    [
        {"LDAP_URL": "ldap://127.0.0.1:9"},
        {"LDAP_START_TLS": False},  # the server wants it
        {"LDAP_CA_FILE": "/etc/ssl/certs/ca-certificates.crt"},  # not who signed
        {"LDAP_BIND_PASSWORD": "wrong"},
        {"LDAP_USER_BASE": "ou=nowhere,dc=example,dc=com"},
        {"LDAP_GROUP_BASE": "ou=nowhere,dc=example,dc=com"},
    ],
    ids=lambda broken: next(iter(broken)),
)
def test_a_directory_that_cannot_be_asked_is_no_wrong_password(directory, settings, broken):
    log_in("ada")
    for name, value in broken.items():
        setattr(settings, name, value)
    check_failed(log_in("ada"), 503, "SIGN_IN_UNAVAILABLE")
    assert not AccessAttempt.objects.exists()
    assert role_of(User.objects.get(username="ada")) == "administrator"


def test_the_login_form_says_that_the_directory_is_away(directory, settings):
    settings.LDAP_URL = "ldap://127.0.0.1:9"
    page = Client().post("/admin/login/", {"username": "otto", "password": PASSWORD})
    assert "cannot be reached" in page.content.decode()


def test_no_password_is_logged(directory, caplog):
    caplog.set_level("DEBUG")
    log_in("otto", "almost-right-secret")
    log_in("otto")
    assert "almost-right-secret" not in caplog.text
    assert PASSWORD not in caplog.text
