"""Setting up and serving: `init`, `tenant`, `pages`, `demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kamp_lib import console
from kamp_lib.console import say
from kamp_lib.errors import KampError
from kamp_lib.settings import settings
from kamp_lib.tenancy import Tenant, tenant_named
from kamp_lib.text import Text
from kamp_lib.verbs.common import (
    Json,
    _,
    example,
    print_json,
)

app = typer.Typer()


tenants = typer.Typer(
    no_args_is_help=True, help=_("기업(SME)을 추가하고 봅니다.", "Companies (SMEs).")
)


@app.command(
    help=_("KAMP_HOME 폴더를 준비합니다.", "Prepare KAMP_HOME."),
    epilog=example("kamp init", "KAMP_HOME=/srv/kamp kamp init"),
)
def init(as_json: Json = False) -> None:
    home = settings().home.expanduser().resolve()
    there = (home / "tenants").is_dir()
    (home / "tenants").mkdir(parents=True, exist_ok=True)
    if as_json:
        print_json({"home": str(home), "created": not there})
        return
    if there:
        say(f"이미 준비되어 있습니다: {home}", f"it is there already: {home}")
    else:
        say(f"준비했습니다: {home}", f"prepared: {home}")
    say(
        "다음: kamp tenant add 기업ID 기업이름 --equipment injection-moulding",
        "next: kamp tenant add SLUG NAME --equipment injection-moulding",
    )


@tenants.command(
    "add",
    help=_("기업을 추가합니다.", "Add a company."),
    epilog=example(
        "kamp tenant add haneul-mold 하늘몰드 --equipment injection-moulding"
    ),
)
def tenant_add(
    slug: Annotated[str, typer.Argument(help=_("기업 ID(영문 소문자)", "slug"))],
    name: Annotated[str, typer.Argument(help=_("기업 이름(한국어)", "Korean name"))],
    name_en: Annotated[
        str | None, typer.Option(help=_("기업 이름(영어)", "English name"))
    ] = None,
    equipment: Annotated[
        list[str] | None, typer.Option(help=_("설비 ID(여러 번)", "equipment id"))
    ] = None,
    time_zone: Annotated[
        str, typer.Option(help=_("시간대", "time zone"))
    ] = "Asia/Seoul",
    as_json: Json = False,
) -> None:
    from kamp_lib.catalog import equipment_type, equipment_types
    from kamp_lib.tenancy import add_tenant

    kinds = tuple(equipment_type(kind).id for kind in equipment or ())
    tenant = add_tenant(slug, name, name_en, equipment=kinds, time_zone=time_zone)
    if as_json:
        print_json(_tenant_as_json(tenant))
        return
    say(f"기업을 추가했습니다: {tenant.home}", f"added the company: {tenant.home}")
    if kinds:
        ko, en = (f"kamp ingest {slug} {kinds[0]} {w}" for w in ("파일", "FILE"))
    else:
        there = ", ".join(equipment_types())
        ko = f"kamp ingest {slug} 설비 파일 (설비: {there})"
        en = f"kamp ingest {slug} EQUIPMENT FILE (equipment: {there})"
    say(f"다음: {ko}", f"next: {en}")


@tenants.command(
    "list",
    help=_("기업 목록을 봅니다.", "List the companies."),
    epilog=example("kamp tenant list --json"),
)
def tenant_list(as_json: Json = False) -> None:
    from kamp_lib.tenancy import list_tenants

    there = list_tenants(unreadable=_complain)
    if as_json:
        print_json([_tenant_as_json(t) for t in there])
    elif not there:
        say(
            "등록된 기업이 아직 없습니다. 추가: kamp tenant add 기업ID 기업이름",
            "there is no company yet; add one: kamp tenant add SLUG NAME",
        )
    else:
        console.table(
            [Text("기업 ID", "slug"), Text("이름", "name"), Text("설비", "equipment")],
            [[t.slug, t.name, ", ".join(t.equipment)] for t in there],
        )


def _complain(error: KampError) -> None:
    """One company that cannot be read does not hide the others."""
    console.complain(str(error))


def _tenant_as_json(tenant: Tenant) -> dict[str, Any]:
    return {
        "slug": tenant.slug,
        "name_ko": tenant.name.ko,
        "name_en": tenant.name.en,
        "equipment": list(tenant.equipment),
        "time_zone": tenant.time_zone,
        "home": str(tenant.home.resolve()),
    }


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

    if tenant:
        companies = [tenant_named(slug) for slug in tenant]
    elif settings().tenant_home is not None:
        companies = [tenant_named()]
    else:
        companies = list_tenants(unreadable=_complain)
    say(
        f"브라우저에서 http://127.0.0.1:{port}/ 을 여세요. 끝내려면 Ctrl-C를 누르세요.",
        f"open http://127.0.0.1:{port}/ in a browser; Ctrl-C ends it.",
    )
    reports.serve(companies, port=port)


@app.command(
    help=_(
        "데모: 네 기업의 모의 데이터로 처음부터 끝까지 실행합니다.",
        "The demo: four companies with simulated data, from file to page.",
    ),
    epilog=example("kamp demo", "kamp demo --no-serve"),
)
def demo(
    home: Annotated[
        Path, typer.Option(help=_("데모 폴더", "folder of the demo"))
    ] = Path(".kamp-demo"),
    serve: Annotated[
        bool,
        typer.Option(help=_("끝나면 페이지를 엽니다", "serve the pages at the end")),
    ] = True,
    port: Annotated[int, typer.Option(help=_("포트", "port"))] = 8866,
    size: Annotated[
        str,
        typer.Option(
            help=_("데이터 크기: demo 또는 fast", "size of the data: demo or fast")
        ),
    ] = "demo",
    seed: Annotated[int, typer.Option(help=_("난수 씨앗", "random seed"))] = 0,
) -> None:
    from kamp_lib.demo import build_demo

    build_demo(home, serve=serve, port=port, size=size, seed=seed)
