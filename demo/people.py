"""The person who looks at the demo: an administrator whose password is kept in var/demo."""

from __future__ import annotations

from django.contrib.auth.models import Group

from demo.processes import FOLDER
from demo.servers import secret
from whalefall.models import User

NAME = "demo"
PASSWORD_FILE = FOLDER / "administrator.password"


def administrator() -> tuple[str, str]:
    """The demo's administrator, made on first use: user name and password."""
    password = secret(PASSWORD_FILE)
    person, _ = User.objects.get_or_create(username=NAME)
    if not (person.is_superuser and person.is_staff and person.check_password(password)):
        person.is_superuser = person.is_staff = person.is_active = True
        person.set_password(password)
        person.save()
    person.groups.set(Group.objects.filter(name="administrator"))
    return NAME, password
