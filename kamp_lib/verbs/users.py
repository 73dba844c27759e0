"""People: `user add`, `list`, `remove`, `passwd`, `assign`, `unassign`, `unlock`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kamp_lib import console
from kamp_lib.console import say
from kamp_lib.errors import UsageError
from kamp_lib.text import Text
from kamp_lib.verbs.common import Json, _, example, print_json
from kamp_lib.verbs.platform import (
    Ask,
    chosen_password,
    local,
    platform,
    show_password,
)

if TYPE_CHECKING:
    from kamp_lib.tenancy import Person, Registry, Role

users = typer.Typer(
    no_args_is_help=True,
    help=_("사용자와 역할을 관리합니다.", "People and their roles."),
)
Name = Annotated[
    str, typer.Argument(metavar=_("사용자ID", "NAME"), help=_("사용자 ID", "user id"))
]
Slug = Annotated[
    str, typer.Argument(metavar=_("기업", "TENANT"), help=_("기업 ID", "company's id"))
]


@users.command(
    "add",
    help=_(
        "사용자를 더하고, 처음 로그인할 일회용 비밀번호를 보여 줍니다.",
        "Add a person and show the one-time password for the first sign-in.",
    ),
    epilog=example(
        "kamp user add ann 김안나 --role haneul-mold:analyst",
        "kamp user add root2 '박운영' --operator",
    ),
)
def user_add(
    name: Name,
    display_name: Annotated[
        str,
        typer.Argument(
            metavar=_("이름", "DISPLAY_NAME"), help=_("사람 이름", "the person's name")
        ),
    ],
    role: Annotated[
        list[str] | None,
        typer.Option(
            metavar=_("기업:역할", "TENANT:ROLE"),
            help=_(
                "analyst, manager 또는 consultant(여러 번)",
                "analyst, manager or consultant (repeat)",
            ),
        ),
    ] = None,
    operator: Annotated[
        bool, typer.Option("--operator", help=_("플랫폼 운영자", "platform operator"))
    ] = False,
    email: Annotated[str | None, typer.Option(help=_("이메일", "e-mail"))] = None,
    ask: Ask = False,
    as_json: Json = False,
) -> None:
    roles = [_slug_and_role(words) for words in role or ()]
    with platform() as registry:
        password = registry.add_person(
            name,
            display_name,
            operator=operator,
            email=email,
            password=chosen_password(ask),
            roles=roles,
        )
    if as_json:
        print_json({"name": name, "password": password})
        return
    say(f"사용자를 더했습니다: {name}", f"added: {name}")
    show_password(password)


def _slug_and_role(words: str) -> tuple[str, str]:
    slug, colon, role = words.partition(":")
    if not (slug and colon and role):
        raise UsageError(
            f"'{words}': 기업:역할 꼴로 적으세요. 예: haneul-mold:analyst",
            f"{words!r}: write TENANT:ROLE; for example haneul-mold:analyst",
        )
    return slug, role


@users.command(
    "list",
    help=_("사용자와 역할을 봅니다.", "People and their roles."),
    epilog=example("kamp user list", "kamp user list --tenant haneul-mold --json"),
)
def user_list(
    tenant: Annotated[
        str | None, typer.Option(help=_("이 기업의 사용자만", "of this company only"))
    ] = None,
    as_json: Json = False,
) -> None:
    with platform() as registry:
        roles = registry.roles()
        if tenant is not None:
            registry.sme(tenant)
        there = [
            _as_json(registry, person, roles.get(person.name, {}))
            for person in registry.people()
            if tenant is None or tenant in roles.get(person.name, {})
        ]
    if as_json:
        print_json(there)
    elif not there:
        say(
            "사용자가 아직 없습니다. 추가: kamp user add ID 이름",
            "there is nobody yet; add a person: kamp user add NAME 'DISPLAY NAME'",
        )
    else:
        _show(there)


def _as_json(
    registry: Registry, person: Person, roles: dict[str, frozenset[Role]]
) -> dict[str, Any]:
    until = registry.locked_until(person.name)
    return {
        "name": person.name,
        "display_name": person.display_name,
        "email": person.email,
        "operator": person.operator,
        "must_change": person.must_change,
        "locked_until": until.isoformat() if until else None,
        "roles": {slug: sorted(held) for slug, held in sorted(roles.items())},
    }


def _show(people: list[dict[str, Any]]) -> None:
    console.table(
        [
            Text("사용자 ID", "name"),
            Text("이름", "person"),
            Text("역할", "roles"),
            Text("상태", "state"),
        ],
        [
            [p["name"], p["display_name"], _roles_in_words(p), _state_in_words(p)]
            for p in people
        ],
        whole=(0,),
    )


def _roles_in_words(person: dict[str, Any]) -> str:
    from kamp_lib.tenancy import Role

    held = [
        f"{slug}: {', '.join(str(Role(r).label) for r in roles)}"
        for slug, roles in person["roles"].items()
    ]
    return "\n".join([_("운영자", "operator")] if person["operator"] else held)


def _state_in_words(person: dict[str, Any]) -> str:
    if person["locked_until"]:
        until = local(datetime.fromisoformat(person["locked_until"]))
        return _(f"{until}까지 잠김", f"locked until {until}")
    if person["must_change"]:
        return _("비밀번호를 바꿔야 함", "has to change the password")
    return ""


@users.command(
    "remove",
    help=_(
        "사용자를 지웁니다. 그 사람이 만든 데이터와 노트북은 기업에 남습니다.",
        "Remove a person; what they made stays with the company.",
    ),
    epilog=example("kamp user remove ann"),
)
def user_remove(name: Name, as_json: Json = False) -> None:
    with platform() as registry:
        registry.remove_person(name)
    if as_json:
        print_json({"name": name, "removed": True})
    else:
        say(f"사용자를 지웠습니다: {name}", f"removed: {name}")


@users.command(
    "passwd",
    help=_(
        "새 일회용 비밀번호를 줍니다. 잠긴 사용자도 풀립니다.",
        "Give a new one-time password; a locked person is unlocked, too.",
    ),
    epilog=example("kamp user passwd ann", "kamp user passwd ann --ask"),
)
def user_passwd(name: Name, ask: Ask = False, as_json: Json = False) -> None:
    with platform() as registry:
        registry.person(name)
        password = registry.reset_password(name, chosen_password(ask))
    if as_json:
        print_json({"name": name, "password": password})
    else:
        show_password(password)


@users.command(
    "unlock",
    help=_("잠긴 사용자를 바로 풉니다.", "Unlock a person at once."),
    epilog=example("kamp user unlock ann"),
)
def user_unlock(name: Name, as_json: Json = False) -> None:
    with platform() as registry:
        registry.unlock(name)
    if as_json:
        print_json({"name": name, "locked_until": None})
    else:
        say(f"잠금을 풀었습니다: {name}", f"unlocked: {name}")


@users.command(
    "assign",
    help=_("기업에서의 역할을 줍니다.", "Give a role in a company."),
    epilog=example("kamp user assign carl haneul-mold consultant"),
)
def user_assign(
    name: Name,
    tenant: Slug,
    role: Annotated[
        str, typer.Argument(help="analyst | manager | consultant", metavar="ROLE")
    ],
    as_json: Json = False,
) -> None:
    with platform() as registry:
        registry.assign(name, tenant, role)
        held = registry.roles().get(name, {}).get(tenant, frozenset())
    if as_json:
        print_json({"name": name, "tenant": tenant, "roles": sorted(held)})
    else:
        say(
            f"역할을 주었습니다: {name} → {tenant} ({role})",
            f"assigned: {name} → {tenant} ({role})",
        )


@users.command(
    "unassign",
    help=_(
        "기업에서의 역할을 거둡니다(역할을 비우면 모두).",
        "Take a role in a company away (all of them when left out).",
    ),
    epilog=example("kamp user unassign carl haneul-mold"),
)
def user_unassign(
    name: Name,
    tenant: Slug,
    role: Annotated[
        str | None,
        typer.Argument(help="analyst | manager | consultant", metavar="[ROLE]"),
    ] = None,
    as_json: Json = False,
) -> None:
    with platform() as registry:
        registry.unassign(name, tenant, role)
        held = registry.roles().get(name, {}).get(tenant, frozenset())
    if as_json:
        print_json({"name": name, "tenant": tenant, "roles": sorted(held)})
    else:
        say(f"역할을 거두었습니다: {name} → {tenant}", f"taken away: {name} → {tenant}")
