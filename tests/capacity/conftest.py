"""The months in which these tests measure are made once, not by each of them."""

from __future__ import annotations

import pytest
from django.db import connection

from capacity import partitions
from tests.capacity.cast import night


@pytest.fixture(scope="package", autouse=True)
def months(django_db_setup, django_db_blocker):
    # pytest-django makes no store where no chosen test asks for one.
    if str(connection.settings_dict["NAME"]).startswith("test_"):
        with django_db_blocker.unblock():
            partitions.ensure(night().date(), night(5).date())
