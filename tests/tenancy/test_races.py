"""Several at once, and killed in the middle: nothing twice, nothing half."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tenancy.desk import CHEAP, Clock

from kamp_lib.errors import KampError
from kamp_lib.tenancy import Role, list_tenants, open_registry, removal, smes
from kamp_lib.tenancy.passwords import Passwords
from kamp_lib.tenancy.registry import Registry

AT_ONCE = 8


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """Start all calls at the same moment; their results, or the sentences they ended in."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return call()
        except KampError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def errors(results: list[Any]) -> list[KampError]:
    return [result for result in results if isinstance(result, KampError)]


def test_of_several_who_add_the_same_company_one_succeeds(registry: Registry) -> None:
    said = at_once([lambda: registry.add_sme("acme", "에이스")] * AT_ONCE)
    refused = errors(said)
    assert len(refused) == AT_ONCE - 1
    assert {"acme" in str(error) for error in refused} == {True}
    assert [sme.slug for sme in registry.smes()] == ["acme"]
    actions = [e.action for e in registry.audit_entries("acme")]
    assert actions == ["tenant.add"]


def test_companies_added_at_once_get_user_ids_of_their_own(registry: Registry) -> None:
    slugs = [f"c{number}" for number in range(AT_ONCE)]
    said = at_once([lambda slug=slug: registry.add_sme(slug, slug) for slug in slugs])
    assert errors(said) == []
    assert len({sme.uid for sme in said}) == AT_ONCE


def test_of_a_company_and_a_person_of_the_same_name_one_gets_it(
    registry: Registry,
) -> None:
    said = at_once(
        [
            lambda: registry.add_sme("same", "같은"),
            lambda: registry.add_person("same", "같은"),
        ]
    )
    assert len(errors(said)) == 1
    assert len(registry.smes()) + len(registry.people()) == 1


def test_the_same_role_given_several_times_at_once_is_one_role(
    registry: Registry,
) -> None:
    registry.add_sme("acme", "에이스")
    registry.add_person("ann", "김안나")
    said = at_once([lambda: registry.assign("ann", "acme", Role.ANALYST)] * AT_ONCE)
    assert errors(said) == []
    noted = [e for e in registry.audit_entries("acme") if e.action == "user.assign"]
    assert len(noted) == 1


def test_a_role_is_never_left_in_a_company_that_goes(registry: Registry) -> None:
    registry.add_sme("acme", "에이스")
    people = [f"p{number}" for number in range(AT_ONCE)]
    for name in people:
        registry.add_person(name, name)
    calls: list[Callable[[], Any]] = [
        lambda name=name: registry.assign(name, "acme", Role.ANALYST) for name in people
    ]
    calls.insert(AT_ONCE // 2, lambda: registry.remove_sme("acme"))
    at_once(calls)
    assert registry.smes() == []
    assert registry.roles() == {}
    assert not registry.folder("acme").exists()


def test_of_two_operators_who_remove_each_other_one_stays(registry: Registry) -> None:
    for name in ("one", "two"):
        registry.add_person(name, name, operator=True)
    said = at_once(
        [lambda: registry.remove_person("one"), lambda: registry.remove_person("two")]
    )
    assert len(errors(said)) == 1
    assert len(registry.people()) == 1


def test_a_hundred_guesses_at_once_are_five_guesses(url: str, clock: Clock) -> None:
    looked: list[str] = []

    class Watched(Passwords):
        def is_right(self, password: str, kept: str | None) -> bool:
            looked.append(password)
            return super().is_right(password, kept)

    registry = open_registry(url, passwords=Watched(CHEAP), now=clock)
    registry.add_person("ann", "김안나")
    guess = [lambda n=n: registry.sign_in("ann", f"guess {n}") for n in range(100)]
    with ThreadPoolExecutor(12) as pool:
        said = list(pool.map(lambda call: call().status, guess))
    assert len(looked) == 5
    assert (said.count("wrong"), said.count("locked")) == (5, 95)
    registry.close()


def test_one_who_changes_the_password_twice_at_once_has_one_of_the_two(
    registry: Registry,
) -> None:
    first = registry.add_person("ann", "김안나")
    new = ["tall trees 7", "deep water 8"]
    said = at_once([lambda n=n: registry.change_password("ann", first, n) for n in new])
    assert len(errors(said)) == 1
    assert {registry.sign_in("ann", n).status for n in new} == {"ok", "wrong"}


def killed_at(work: Callable[[], None]) -> None:
    """Do this in a process of its own, which has to end by a kill."""
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("moment", ["in-the-folder", "before-the-row", "with-the-row"])
def test_a_company_whose_adding_was_killed_can_be_added_again(
    url: str, registry: Registry, moment: str
) -> None:
    def work() -> None:
        with pytest.MonkeyPatch.context() as patch:
            if moment == "in-the-folder":
                patch.setattr("kamp_lib.tenancy.tenants._as_toml", die)
            elif moment == "before-the-row":
                patch.setattr(smes, "add", die)
            else:
                patch.setattr("kamp_lib.tenancy.audit.write", die)
            open_registry(url).add_sme("acme", "에이스", "Acme", equipment=("press",))

    killed_at(work)
    assert registry.smes() == []
    assert registry.folder("acme").is_dir()
    sme = registry.add_sme("acme", "에이스", "Acme", equipment=("press",))
    assert registry.smes() == [sme]
    assert [tenant.slug for tenant in list_tenants()] == ["acme"]


def test_a_killed_adding_can_be_left_to_adoption(url: str, registry: Registry) -> None:
    def work() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(smes, "add", die)
            open_registry(url).add_sme("acme", "에이스")

    killed_at(work)
    assert [sme.slug for sme in registry.adopt()] == ["acme"]


@pytest.mark.parametrize("moment", ["moved-away", "row-gone", "half-deleted"])
def test_a_company_whose_removal_was_killed_can_be_removed_again(
    url: str, registry: Registry, moment: str
) -> None:
    registry.add_sme("acme", "에이스")
    registry.add_sme("acme-two", "둘째")
    registry.add_person("ann", "김안나", roles=[("acme", Role.ANALYST)])
    for number in range(5):
        (registry.folder("acme") / "data" / f"{number}.csv").write_text("1")

    def work() -> None:
        with pytest.MonkeyPatch.context() as patch:
            if moment == "moved-away":
                patch.setattr(smes, "remove", die)
            elif moment == "row-gone":
                patch.setattr(removal, "sweep", die)
            else:
                patch.setattr(shutil, "rmtree", _half_of_it)
            open_registry(url).remove_sme("acme")

    killed_at(work)
    registry.remove_sme("acme")
    assert [sme.slug for sme in registry.smes()] == ["acme-two"]
    assert registry.access("ann").roles == {}
    left = [path.name for path in (registry.home / "tenants").iterdir()]
    assert left == ["acme-two"]
    with pytest.raises(KampError):
        registry.remove_sme("acme")


def _half_of_it(folder: Any) -> None:
    (folder / "data" / "0.csv").unlink()
    die()


def test_remains_of_a_killed_removal_are_no_company(
    url: str, registry: Registry
) -> None:
    registry.add_sme("acme", "에이스")

    def work() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(removal, "sweep", die)
            open_registry(url).remove_sme("acme")

    killed_at(work)
    told: list[KampError] = []
    assert list_tenants(unreadable=told.append) == []
    assert registry.adopt(refused=told.append) == []
    assert told == []
