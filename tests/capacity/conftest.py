"""The months in which these tests measure are made once, not by each of them."""

from __future__ import annotations

import pytest

from capacity import partitions
from tests.capacity.cast import night


@pytest.fixture(scope="package", autouse=True)
def months(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        partitions.ensure(night().date(), night(5).date())
