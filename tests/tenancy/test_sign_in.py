"""Names and passwords: the lock-out, forced change, no telling who exists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from argon2 import PasswordHasher
from tenancy.desk import CHEAP, Clock

from kamp_lib.errors import KampError, UsageError
from kamp_lib.tenancy import open_registry
from kamp_lib.tenancy.passwords import Passwords
from kamp_lib.tenancy.registry import Registry

GOOD = "밤하늘의 별 세 개"


@pytest.fixture
def ann(registry: Registry) -> str:
    """Ann's own password."""
    first = registry.add_person("ann", "김안나")
    registry.change_password("ann", first, GOOD)
    return GOOD


def fail(registry: Registry, name: str, times: int) -> None:
    for _ in range(times):
        assert registry.sign_in(name, "a wrong password").status == "wrong"


def test_the_right_password_signs_in(registry: Registry, ann: str) -> None:
    answer = registry.sign_in("ann", ann)
    assert answer.status == "ok"
    assert answer.person == registry.person("ann")


def test_the_first_password_has_to_be_changed(registry: Registry) -> None:
    first = registry.add_person("ann", "김안나")
    assert registry.sign_in("ann", first).status == "must-change"
    registry.change_password("ann", first, GOOD)
    assert registry.sign_in("ann", GOOD).status == "ok"
    assert registry.sign_in("ann", first).status == "wrong"


def test_a_password_that_needs_no_change_can_be_given(registry: Registry) -> None:
    registry.add_person("ann", "김안나", password=GOOD, must_change=False)
    assert registry.sign_in("ann", GOOD).status == "ok"


@pytest.mark.parametrize("wrong", ["", GOOD + " ", GOOD.upper() + "x", "x" * 100_000])
def test_a_wrong_password_does_not(registry: Registry, ann: str, wrong: str) -> None:
    answer = registry.sign_in("ann", wrong)
    assert (answer.status, answer.person) == ("wrong", None)


@pytest.mark.parametrize("odd", ["\0", "\ud800\udfff", "\U0010ffff"])
def test_odd_letters_are_a_wrong_password(
    registry: Registry, ann: str, odd: str
) -> None:
    assert registry.sign_in("ann", odd).status == "wrong"


def test_hangul_may_be_composed_by_any_keyboard(registry: Registry, ann: str) -> None:
    import unicodedata

    decomposed = unicodedata.normalize("NFD", ann)
    assert decomposed != ann
    assert registry.sign_in("ann", decomposed).status == "ok"


def test_the_fifth_wrong_password_locks_the_name(
    registry: Registry, ann: str, clock: Clock
) -> None:
    fail(registry, "ann", 5)
    answer = registry.sign_in("ann", ann)
    assert (answer.status, answer.person) == ("locked", None)
    assert answer.until is not None
    assert (answer.until - clock()).total_seconds() == 15 * 60


def test_a_lock_ends_after_fifteen_minutes(
    registry: Registry, ann: str, clock: Clock
) -> None:
    fail(registry, "ann", 5)
    clock.later(minutes=14, seconds=59)
    assert registry.sign_in("ann", ann).status == "locked"
    clock.later(seconds=1)
    assert registry.sign_in("ann", ann).status == "ok"


def test_trying_while_locked_does_not_lengthen_the_lock(
    registry: Registry, ann: str, clock: Clock
) -> None:
    fail(registry, "ann", 5)
    for _ in range(14):
        clock.later(minutes=1)
        assert registry.sign_in("ann", "wrong again").status == "locked"
    clock.later(minutes=1)
    assert registry.sign_in("ann", ann).status == "ok"


def test_five_wrong_ones_count_within_any_fifteen_minutes(
    registry: Registry, ann: str, clock: Clock
) -> None:
    fail(registry, "ann", 1)
    clock.later(minutes=10)
    fail(registry, "ann", 3)
    clock.later(minutes=6)  # the first is too old; four are left with the next
    fail(registry, "ann", 1)
    assert registry.locked_until("ann") is None
    fail(registry, "ann", 1)
    assert registry.sign_in("ann", ann).status == "locked"


def test_a_right_password_takes_the_count_back(registry: Registry, ann: str) -> None:
    for _ in range(3):
        fail(registry, "ann", 4)
        assert registry.sign_in("ann", ann).status == "ok"


def test_a_lock_of_one_name_is_nobody_elses(registry: Registry, ann: str) -> None:
    registry.add_person("bob", "박보람", password=GOOD, must_change=False)
    fail(registry, "ann", 5)
    assert registry.sign_in("bob", GOOD).status == "ok"


def test_an_operator_unlocks_a_name(registry: Registry, ann: str) -> None:
    fail(registry, "ann", 5)
    registry.unlock("ann")
    assert registry.sign_in("ann", ann).status == "ok"


def test_a_new_password_unlocks_the_name(registry: Registry, ann: str) -> None:
    fail(registry, "ann", 5)
    first = registry.reset_password("ann")
    assert registry.sign_in("ann", ann).status == "wrong"
    assert registry.sign_in("ann", first).status == "must-change"


def test_a_lock_is_noted_once_with_the_person(registry: Registry, ann: str) -> None:
    fail(registry, "ann", 5)
    registry.sign_in("ann", ann)
    actions = [e.action for e in registry.audit_entries("ann")]
    assert actions.count("sign-in.locked") == 1


def test_a_name_that_nobody_has_is_locked_alike(registry: Registry, ann: str) -> None:
    fail(registry, "nobody", 5)
    assert registry.sign_in("nobody", "x").status == "locked"
    assert registry.audit_entries("nobody") == []


@dataclass
class Counting:
    """A hasher that counts what it is asked."""

    hasher: PasswordHasher = CHEAP
    verified: list[str] = field(default_factory=list)
    hash: Callable[[str], str] = CHEAP.hash
    check_needs_rehash: Callable[[str], bool] = CHEAP.check_needs_rehash

    def verify(self, kept: str, password: str) -> bool:
        self.verified.append(kept)
        return self.hasher.verify(kept, password)


@pytest.mark.parametrize("name", ["ann", "nobody", "No Name", "report", ""])
def test_as_much_work_is_done_for_every_name(url: str, clock: Clock, name: str) -> None:
    counting = Counting()
    registry = open_registry(url, passwords=Passwords(counting), now=clock)
    registry.add_person("ann", "김안나")
    assert registry.sign_in(name, "a wrong password").status == "wrong"
    (kept,) = counting.verified
    assert kept.rpartition("$")[0].startswith("$argon2id$v=19$m=8,t=1,p=1$")
    registry.close()


def test_a_locked_name_costs_no_hashing(url: str, clock: Clock) -> None:
    counting = Counting()
    registry = open_registry(url, passwords=Passwords(counting), now=clock)
    fail(registry, "nobody", 5)
    counting.verified.clear()
    assert registry.sign_in("nobody", "x").status == "locked"
    assert counting.verified == []
    registry.close()


def test_a_hash_of_other_times_is_renewed_at_sign_in(url: str, clock: Clock) -> None:
    older = open_registry(url, passwords=Passwords(CHEAP), now=clock)
    older.add_person("ann", "김안나", password=GOOD, must_change=False)
    today = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    newer = open_registry(url, passwords=Passwords(today), now=clock)
    assert newer.sign_in("ann", GOOD).status == "ok"
    assert older.passwords.is_outdated(_kept(older, "ann"))
    assert not newer.passwords.is_outdated(_kept(newer, "ann"))
    assert newer.sign_in("ann", GOOD).status == "ok"
    older.close()
    newer.close()


def _kept(registry: Registry, name: str) -> str:
    from kamp_lib.tenancy import people

    with registry._reading() as session:
        return people.required(session, name).password


def test_the_password_itself_is_nowhere_in_the_database(
    registry: Registry, ann: str
) -> None:
    kept = _kept(registry, "ann")
    assert kept.startswith("$argon2id$")
    assert ann not in kept
    details = [str(e) for e in registry.audit_entries(limit=None)]
    assert not any(ann in words or kept in words for words in details)


def test_a_wrong_old_password_changes_nothing_and_counts(
    registry: Registry, ann: str
) -> None:
    for _ in range(5):
        with pytest.raises(KampError):
            registry.change_password("ann", "not the old one", "another good one")
    assert registry.sign_in("ann", ann).status == "locked"
    with pytest.raises(KampError):
        registry.change_password("ann", ann, "another good one")


@pytest.mark.parametrize("new", ["short", GOOD, "password123", "1111111111"])
def test_a_new_password_has_to_follow_the_rules(
    registry: Registry, ann: str, new: str
) -> None:
    with pytest.raises(UsageError):
        registry.change_password("ann", ann, new)
    assert registry.sign_in("ann", ann).status == "ok"


def test_a_password_is_never_changed_for_somebody_who_left(registry: Registry) -> None:
    with pytest.raises(KampError):
        registry.change_password("ann", "whatever it was", GOOD)
    with pytest.raises(KampError):
        registry.reset_password("ann")


def test_a_reset_that_comes_between_makes_the_old_password_wrong(
    registry: Registry, ann: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_right = registry.passwords.is_right

    def slow(password: str, kept: str | None) -> bool:
        monkeypatch.undo()
        registry.reset_password("ann")
        return is_right(password, kept)

    monkeypatch.setattr(registry.passwords, "is_right", slow)
    assert registry.sign_in("ann", ann).status == "wrong"


def test_old_attempts_do_not_stay_in_the_database(
    registry: Registry, clock: Clock
) -> None:
    from sqlalchemy import func, select

    from kamp_lib.tenancy.tables import AttemptRow

    for number in range(20):
        registry.sign_in(f"nobody-{number}", "x")
    clock.later(minutes=31)
    registry.sign_in("nobody", "x")
    with registry._reading() as session:
        assert session.scalar(select(func.count()).select_from(AttemptRow)) == 1
