"""A registry on each of the two databases, with hashes that cost little."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from kamp_lib.tenancy import open_registry
from kamp_lib.tenancy.passwords import Passwords
from kamp_lib.tenancy.registry import Registry

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def registry() -> Iterator[Registry]:
    made = open_registry(passwords=Passwords(CHEAP))
    yield made
    made.close()
