"""The platform's own verbs: `db`, `audit`, and what they share with `tenant` and `user`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from kamp_lib import console
from kamp_lib.console import say
from kamp_lib.errors import KampError, UsageError
from kamp_lib.settings import settings
from kamp_lib.text import Text
from kamp_lib.verbs.common import Json, _, example, print_json

if TYPE_CHECKING:
    from kamp_lib.tenancy import AuditEntry, Registry

app = typer.Typer()
db = typer.Typer(
    no_args_is_help=True, help=_("플랫폼 데이터베이스", "The platform database.")
)
NEW_PASSWORD = "KAMP_NEW_PASSWORD"  # noqa: S105 - the name of the variable
Ask = Annotated[
    bool,
    typer.Option(
        "--ask",
        help=_(
            "비밀번호를 물어봅니다(없으면 만들어 줍니다)",
            "ask for the password (else one is made up)",
        ),
    ),
]


def refuse_in_a_workspace() -> None:
    """There is no platform database inside a workspace, and nothing to administer."""
    if settings().tenant_home is not None:
        raise KampError(
            "이 명령은 플랫폼 운영자의 것이라 작업공간 안에서는 쓸 수 없습니다. 운영자에게 문의하세요.",
            "this command belongs to the platform and does not work inside a workspace;"
            " ask the operator.",
        )


@contextmanager
def platform() -> Iterator[Registry]:
    """The registry, for the length of a verb."""
    from kamp_lib.tenancy import open_registry

    refuse_in_a_workspace()
    registry = open_registry()
    try:
        yield registry
    finally:
        registry.close()


def chosen_password(ask: bool) -> str | None:
    """The password somebody chose: typed unseen, or from the environment; never an argument."""
    if not ask:
        return os.environ.get(NEW_PASSWORD) or None
    first = console.ask_secret(Text("새 비밀번호", "new password"))
    if first is None:
        raise UsageError(
            f"터미널이 아니어서 물어볼 수 없습니다. {NEW_PASSWORD} 환경 변수에 넣으세요.",
            f"nobody is at a terminal to be asked; set {NEW_PASSWORD} instead.",
        )
    if first != console.ask_secret(Text("한 번 더", "once more")):
        raise UsageError(
            "두 번 적은 비밀번호가 다릅니다. 다시 하세요.",
            "the two passwords differ; try again.",
        )
    return first


def show_password(password: str) -> None:
    say(
        f"일회용 비밀번호(지금만 보입니다): {password}",
        f"one-time password (shown only now): {password}",
    )
    say(
        "처음 로그인하면 새 비밀번호를 정하게 됩니다.",
        "at the first sign-in an own password has to be chosen.",
    )


def local(moment: datetime | None) -> str:
    """A time as people on this platform read it."""
    if moment is None:
        return "–"
    return moment.astimezone(ZoneInfo("Asia/Seoul")).strftime("%Y-%m-%d %H:%M:%S")


@app.command(
    help=_(
        "누가 언제 무엇을 했는지 봅니다(최근 것부터).",
        "Who did what when, newest first.",
    ),
    epilog=example("kamp audit", "kamp audit haneul-mold --limit 20"),
)
def audit(
    subject: Annotated[
        str | None,
        typer.Argument(
            metavar=_("[기업 또는 사용자]", "[COMPANY OR PERSON]"),
            help=_("비우면 모두", "all when left out"),
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, help=_("몇 줄까지", "how many lines"))
    ] = 50,
    as_json: Json = False,
) -> None:
    with platform() as registry:
        lines = registry.audit_entries(subject, limit=limit)
    if as_json:
        print_json([audit_as_json(line) for line in lines])
        return
    console.table(
        [
            Text("때", "when"),
            Text("누가", "who"),
            Text("무엇을", "did what"),
            Text("대상", "to"),
            Text("자세히", "detail"),
        ],
        [
            [local(e.at), e.actor, e.action, e.subject, _details(e.detail)]
            for e in lines
        ],
        whole=(0,),
    )


def _details(detail: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in detail.items())


def audit_as_json(entry: AuditEntry) -> dict[str, Any]:
    """One line of the audit for machines."""
    return {
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "detail": entry.detail,
    }


@db.command(
    "status",
    help=_("데이터베이스가 어느 판인지 봅니다.", "Which revision the database is at."),
    epilog=example("kamp db status"),
)
def db_status(as_json: Json = False) -> None:
    from kamp_lib.tenancy import schema

    with _engine() as engine:
        found = schema.revision(engine)
        place = engine.url.render_as_string(hide_password=True)
    if as_json:
        print_json({"database": place, "revision": found, "newest": schema.HEAD})
    elif found == schema.HEAD:
        say(f"준비되어 있습니다: {place} (판 {found})", f"ready: {place} ({found})")
    else:
        say(
            f"{place}: 판 {found or '없음'}, 필요 {schema.HEAD}. 실행: kamp db upgrade",
            f"{place}: revision {found or 'none'}, needed {schema.HEAD};"
            " run: kamp db upgrade",
        )


@db.command(
    "upgrade",
    help=_(
        "데이터베이스를 이 프로그램의 판으로 올립니다.",
        "Bring the database to this program's revision.",
    ),
    epilog=example("kamp db upgrade"),
)
def db_upgrade(as_json: Json = False) -> None:
    from kamp_lib.tenancy import schema

    with _engine() as engine:
        before = schema.upgrade(engine)
    if as_json:
        print_json({"before": before, "revision": schema.HEAD})
    elif before == schema.HEAD:
        say(f"이미 새 판입니다: {before}", f"up to date already: {before}")
    else:
        say(
            f"올렸습니다: {before or '없음'} → {schema.HEAD}",
            f"upgraded: {before or 'none'} → {schema.HEAD}",
        )


def prepare_database() -> None:
    """Make the tables of a database server that has none yet; older ones wait for `db upgrade`."""
    from kamp_lib.tenancy import schema

    with _engine() as engine:
        if engine.dialect.name != "sqlite" and schema.revision(engine) is None:
            schema.upgrade(engine)


@contextmanager
def _engine() -> Iterator[Any]:
    from kamp_lib.tenancy import database

    refuse_in_a_workspace()
    engine = database.open_engine(database.database_url(settings().database_url))
    try:
        yield engine
    finally:
        engine.dispose()
