"""The world of a contract class: one server with the cast on it, and one reading of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engines.contract import Seen, build, read
from tests.engines.worlds import World


@pytest.fixture(scope="class")
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    world = request.cls.world_class()
    try:
        world.start()
        build(world)
        yield world
    finally:
        world.stop()


@pytest.fixture(scope="class")
def seen(world: World) -> Seen:
    return read(world)
