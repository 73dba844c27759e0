"""Setting up and serving: `init`, `pages`, `demo`."""

from __future__ import annotations

from typing import Annotated

import typer

from kamp_lib.console import say
from kamp_lib.settings import settings
from kamp_lib.tenancy import tenant_named
from kamp_lib.verbs.common import Json, _, complain, example, print_json
from kamp_lib.verbs.platform import (
    platform,
    prepare_database,
    refuse_in_a_workspace,
    show_password,
)

app = typer.Typer()


@app.command(
    help=_(
        "KAMP_HOME과 데이터베이스를 준비하고 첫 운영자를 만듭니다.",
        "Prepare KAMP_HOME and the database, and make the first operator.",
    ),
    epilog=example("kamp init", "KAMP_HOME=/srv/kamp kamp init"),
)
def init(
    operator: Annotated[
        str, typer.Option(help=_("첫 운영자의 ID", "id of the first operator"))
    ] = "operator",
    as_json: Json = False,
) -> None:
    refuse_in_a_workspace()
    home = settings().home.absolute()
    there = (home / "tenants").is_dir()
    (home / "tenants").mkdir(parents=True, exist_ok=True)
    prepare_database()
    with platform() as registry:
        password = registry.first_operator(operator, str(_("운영자", "Operator")))
        adopted = [sme.slug for sme in registry.adopt(refused=complain)]
    if as_json:
        first = {"name": operator, "password": password} if password else None
        made = {"home": str(home), "created": not there}
        print_json({**made, "operator": first, "adopted": adopted})
        return
    if there:
        say(f"이미 준비되어 있습니다: {home}", f"it is there already: {home}")
    else:
        say(f"준비했습니다: {home}", f"prepared: {home}")
    if adopted:
        names = ", ".join(adopted)
        say(f"폴더만 있던 기업을 등록했습니다: {names}", f"registered: {names}")
    if password:
        say(f"첫 운영자: {operator}", f"first operator: {operator}")
        show_password(password)
    say(
        "다음: kamp tenant add 기업ID 기업이름 --equipment injection-moulding",
        "next: kamp tenant add SLUG NAME --equipment injection-moulding",
    )


@app.command(
    help=_(
        "게시된 의사결정 페이지를 이 컴퓨터에서 엽니다.",
        "Serve published decision pages on this machine.",
    ),
    epilog=example("kamp pages haneul-mold", "kamp pages --port 8866"),
)
def pages(
    tenant: Annotated[
        list[str] | None, typer.Argument(help=_("기업(비우면 모두)", "companies (all)"))
    ] = None,
    port: Annotated[int, typer.Option(help=_("포트", "port"))] = 8866,
) -> None:
    from kamp_lib import reports
    from kamp_lib.tenancy import list_tenants
    from kamp_lib.workspace.lean import hurrying

    if tenant:
        companies = [tenant_named(slug) for slug in tenant]
    elif settings().tenant_home is not None:
        companies = [tenant_named()]
    else:
        companies = list_tenants(unreadable=complain)
    with hurrying():
        serve = reports.serve  # what it needs is loaded now
    say(
        f"브라우저에서 http://127.0.0.1:{port}/ 을 여세요. 끝내려면 Ctrl-C를 누르세요.",
        f"open http://127.0.0.1:{port}/ in a browser; Ctrl-C ends it.",
    )
    serve(companies, port=port)
