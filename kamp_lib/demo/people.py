"""The people of the demo: who they are, and passwords made anew at every start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from kamp_lib import console
from kamp_lib.catalog import load_entries
from kamp_lib.tenancy import Registry, Role, open_registry
from kamp_lib.tenancy.passwords import one_time_password
from kamp_lib.text import Text

ROLES = {
    "analyst": Text("분석가", "analyst"),
    "manager": Text("현장 관리자", "manager"),
    "consultant": Text("컨설턴트", "consultant"),
    "operator": Text("운영자", "operator"),
}


class DemoPerson(BaseModel):
    """An invented person: what they are in which companies."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    shown: str
    role: Literal["analyst", "manager", "consultant", "operator"]
    companies: list[str]


@dataclass(frozen=True)
class Account:
    """Somebody who can sign in now."""

    person: DemoPerson
    password: str


def demo_people() -> list[DemoPerson]:
    """Two people in every company, one consultant for all, one operator."""
    return load_entries(Path(__file__).with_name("people.yaml"), DemoPerson)


def analyst_of(slug: str) -> str:
    """Who works on the data of a company."""
    there = (p for p in demo_people() if p.role == "analyst" and slug in p.companies)
    return next(there).name


def let_in(home: Path) -> list[Account]:
    """Put everybody into the registry of `home`, each with a new password."""
    registry = open_registry(home=home).acting("demo")
    registry.adopt()
    return [Account(person, _password(registry, person)) for person in demo_people()]


def _password(registry: Registry, person: DemoPerson) -> str:
    there = {p.name for p in registry.people()}
    if person.name not in there:
        registry.add_person(
            person.name, person.shown, operator=person.role == "operator"
        )
    if person.role != "operator":
        for slug in person.companies:
            registry.assign(person.name, slug, Role(person.role))
    # nobody has to change it: it ends with the next start
    first, new = registry.reset_password(person.name), one_time_password()
    registry.change_password(person.name, first, new)
    return new


def show(accounts: list[Account], url: str) -> None:
    """Who can sign in where."""
    console.table(
        [
            Text("이름", "name"),
            Text("비밀번호", "password"),
            Text("누구", "who"),
            Text("역할", "role"),
            Text("기업", "company"),
        ],
        [
            [
                account.person.name,
                account.password,
                account.person.shown,
                ROLES[account.person.role],
                ", ".join(account.person.companies)
                if len(account.person.companies) < 2
                else Text("네 기업 모두", "all four"),
            ]
            for account in accounts
        ],
        whole=(0, 1),
    )
    console.say(f"주소: {url}", f"address: {url}")
    console.say(
        "브라우저에서 열고 위의 이름으로 로그인하세요. 끝내려면 Ctrl-C를 누르세요.",
        "open it in a browser and sign in with a name from above; Ctrl-C ends it.",
    )
