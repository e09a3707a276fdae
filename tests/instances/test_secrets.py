"""A password goes in and never comes out."""

import io
import json

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from django.forms import modelform_factory

from whalefall.instances.models import Credential

pytestmark = pytest.mark.django_db

PASSWORD = "tell-no-1"


@pytest.fixture
def collector():
    Credential.objects.create(name="collector", username="whalefall", password=PASSWORD)
    return Credential.objects.get(name="collector")


def stored():
    with connection.cursor() as cursor:
        cursor.execute("SELECT password FROM credentials")
        return [row[0] for row in cursor.fetchall()]


def test_it_is_encrypted_in_the_table_and_plain_for_the_driver(collector):
    assert PASSWORD not in stored()[0]
    assert collector.password == PASSWORD
    assert f"{collector.password}" == PASSWORD


def test_no_repr_shows_it(collector):
    values = Credential.objects.values().get()
    assert PASSWORD not in repr(collector) + str(collector) + repr(vars(collector)) + repr(values)


def test_a_form_does_not_show_it(collector):
    form = modelform_factory(Credential, fields="__all__")(instance=collector)
    assert PASSWORD not in form.as_p()


def test_a_form_takes_a_new_one(collector):
    fields = {"name": "collector", "username": "whalefall", "password": "other-2", "db_type": ""}
    form = modelform_factory(Credential, fields="__all__")(fields, instance=collector)
    form.save()
    assert Credential.objects.get().password == "other-2"


def test_dumpdata_writes_it_encrypted_and_loaddata_reads_it(collector):
    dumped = serializers.serialize("json", Credential.objects.all())
    assert PASSWORD not in dumped
    Credential.objects.all().delete()
    for loaded in serializers.deserialize("json", dumped):
        loaded.save()
    assert Credential.objects.get().password == PASSWORD


def test_a_target_does_not_show_it(collector):
    from whalefall.instances.models import Instance

    target = Instance(name="x", db_type="mysql", host="h", port=1, credential=collector).target()
    assert target.password == PASSWORD
    assert PASSWORD not in repr(target)


def rotate():
    out = io.StringIO()
    call_command("rotate_credential_key", stdout=out)
    return out.getvalue().strip()


def test_rotating_encrypts_with_the_first_key(collector, settings):
    new = Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [new, *settings.CREDENTIAL_KEYS]
    assert rotate() == "1 passwords encrypted anew."
    settings.CREDENTIAL_KEYS = [new]
    assert Credential.objects.get().password == PASSWORD


def test_rotating_without_the_old_key_changes_nothing(collector, settings):
    Credential.objects.create(name="billing", username="whalefall", password="other")
    before = stored()
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(
        CommandError, match=r"^collector: A stored password was encrypted with a key"
    ):
        rotate()
    assert stored() == before


def test_a_key_that_is_no_key_is_said_so(settings):
    settings.CREDENTIAL_KEYS = ["short"]
    with pytest.raises(ImproperlyConfigured, match="CREDENTIAL_KEYS must hold Fernet keys"):
        Credential.objects.create(name="x", username="x", password="x")


def test_the_api_never_gives_it(collector, client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("ada"))
    answer = client.get(f"/api/v1/credentials/{collector.pk}")
    assert answer.status_code == 200
    assert PASSWORD not in json.dumps(answer.json())
