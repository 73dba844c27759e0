"""Companies: `tenant add`, `list`, `show`, `suspend`, `resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from kamp_lib import console
from kamp_lib.console import say
from kamp_lib.text import Text
from kamp_lib.verbs.common import Json, _, complain, example, print_json
from kamp_lib.verbs.platform import local, platform

if TYPE_CHECKING:
    from kamp_lib.tenancy import Registry, Sme, Tenant

tenants = typer.Typer(
    no_args_is_help=True, help=_("기업(SME)을 추가하고 봅니다.", "Companies (SMEs).")
)
Slug = Annotated[
    str, typer.Argument(metavar=_("기업", "TENANT"), help=_("기업 ID", "company's id"))
]
STATES = {
    "active": Text("사용 중", "active"),
    "suspended": Text("중지됨", "suspended"),
    "unregistered": Text("등록 안 됨(kamp init)", "not registered (kamp init)"),
    "no-folder": Text("폴더 없음", "no folder"),
}


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
    industry: Annotated[str, typer.Option(help=_("업종", "industry"))] = "",
    equipment: Annotated[
        list[str] | None, typer.Option(help=_("설비 ID(여러 번)", "equipment id"))
    ] = None,
    time_zone: Annotated[
        str, typer.Option(help=_("시간대", "time zone"))
    ] = "Asia/Seoul",
    plan: Annotated[
        str,
        typer.Option(
            help=_("요금제: small, standard, large", "small, standard or large")
        ),
    ] = "standard",
    as_json: Json = False,
) -> None:
    from kamp_lib.catalog import equipment_type, equipment_types

    kinds = tuple(equipment_type(kind).id for kind in equipment or ())
    with platform() as registry:
        sme = registry.add_sme(
            slug,
            name,
            name_en,
            industry=industry,
            equipment=kinds,
            time_zone=time_zone,
            plan=plan,
        )
        folder = registry.folder(slug)
    if as_json:
        print_json(_sme_as_json(sme, str(folder)))
        return
    say(f"기업을 추가했습니다: {folder}", f"added the company: {folder}")
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
    with platform() as registry:
        there = _everything(registry)
    if as_json:
        print_json(there)
    elif not there:
        say(
            "등록된 기업이 아직 없습니다. 추가: kamp tenant add 기업ID 기업이름",
            "there is no company yet; add one: kamp tenant add SLUG NAME",
        )
    else:
        columns = [
            Text("기업 ID", "slug"),
            Text("이름", "name"),
            Text("설비", "equipment"),
            Text("요금제", "plan"),
            Text("상태", "state"),
        ]
        console.table(columns, [_as_line(one) for one in there], whole=(0,))


def _everything(registry: Registry) -> list[dict[str, Any]]:
    """Rows and folders, also where one lacks the other."""
    from kamp_lib.tenancy import list_tenants

    folders = {t.slug: t for t in list_tenants(registry.home, unreadable=complain)}
    there = {}
    for sme in registry.smes():
        folder = registry.folder(sme.slug)
        there[sme.slug] = _sme_as_json(sme, str(folder.absolute()))
        if not folder.is_dir():
            there[sme.slug]["status"] = "no-folder"
    for slug in folders.keys() - there.keys():
        there[slug] = _tenant_as_json(folders[slug])
    return [there[slug] for slug in sorted(there)]


def _as_line(company: dict[str, Any]) -> list[Any]:
    return [
        company["slug"],
        Text(company["name_ko"], company["name_en"]),
        ", ".join(company["equipment"]),
        company["plan"] or "–",
        STATES[company["status"]],
    ]


def _sme_as_json(sme: Sme, home: str) -> dict[str, Any]:
    return {
        "slug": sme.slug,
        "name_ko": sme.name.ko,
        "name_en": sme.name.en,
        "industry": sme.industry,
        "equipment": list(sme.equipment),
        "time_zone": sme.time_zone,
        "plan": sme.plan.id,
        "status": sme.status,
        "uid": sme.uid,
        "home": home,
    }


def _tenant_as_json(tenant: Tenant) -> dict[str, Any]:
    """A folder that the registry does not know."""
    return {
        "slug": tenant.slug,
        "name_ko": tenant.name.ko,
        "name_en": tenant.name.en,
        "industry": "",
        "equipment": list(tenant.equipment),
        "time_zone": tenant.time_zone,
        "plan": None,
        "status": "unregistered",
        "uid": None,
        "home": str(tenant.home.absolute()),
    }


@tenants.command(
    "show",
    help=_(
        "기업 하나를 자세히 봅니다: 한도, 사용량, 사람.",
        "One company: quotas, what it uses, its people.",
    ),
    epilog=example("kamp tenant show haneul-mold"),
)
def tenant_show(slug: Slug, as_json: Json = False) -> None:
    from kamp_lib.tenancy.hostile import measure

    with platform() as registry:
        sme = registry.sme(slug)
        people = {name: sorted(held) for name, held in registry.people_of(slug).items()}
        folder = registry.folder(slug)
    size = measure(folder)
    if as_json:
        shown = _sme_as_json(sme, str(folder.absolute()))
        shown["created"] = sme.created.isoformat() if sme.created else None
        shown["quotas"] = _quotas(sme)
        shown["used"] = {"bytes": size.bytes, "files": size.files}
        print_json({**shown, "people": people})
        return
    plan = sme.plan
    lines = [
        (Text("이름", "name"), sme.name),
        (Text("업종", "industry"), sme.industry or "–"),
        (Text("설비", "equipment"), ", ".join(sme.equipment) or "–"),
        (Text("시간대", "time zone"), sme.time_zone),
        (Text("상태", "state"), STATES[sme.status]),
        (Text("요금제", "plan"), f"{plan.name} ({plan.id})"),
        (
            Text("서버마다", "each server"),
            f"{plan.memory_mb:,} MB, {plan.cpus:g} CPU, {plan.processes:,}"
            f" {_('프로세스', 'processes')}",
        ),
        (Text("동시 서버", "servers at once"), plan.servers),
        (
            Text("디스크", "disk"),
            f"{size.on_disk / 2**30:,.2f} / {plan.disk_gb:,} GB, {size.files:,}"
            f" {_('파일', 'files')}",
        ),
        (Text("시스템 사용자", "user id"), sme.uid),
        (Text("추가한 때", "added"), local(sme.created)),
        (Text("폴더", "folder"), folder),
    ]
    lines += [
        (Text("사람", "person"), f"{n}: {', '.join(r)}") for n, r in people.items()
    ]
    console.table(
        [Text("항목", "what"), Text("값", "value")], [list(line) for line in lines]
    )


def _quotas(sme: Sme) -> dict[str, float]:
    plan = sme.plan
    return {
        "memory_mb": plan.memory_mb,
        "cpus": plan.cpus,
        "processes": plan.processes,
        "disk_gb": plan.disk_gb,
        "servers": plan.servers,
    }


@tenants.command(
    "suspend",
    help=_(
        "기업을 잠시 닫습니다. 지워지는 것은 없습니다.",
        "Close a company for a while; nothing is deleted.",
    ),
    epilog=example("kamp tenant suspend haneul-mold"),
)
def tenant_suspend(slug: Slug, as_json: Json = False) -> None:
    with platform() as registry:
        registry.suspend(slug)
    if as_json:
        print_json({"slug": slug, "status": "suspended"})
        return
    say(
        f"'{slug}'을(를) 중지했습니다. 열린 작업공간은 1분 안에 닫힙니다."
        f" 다시 열기: kamp tenant resume {slug}",
        f"suspended {slug!r}; its workspaces close within a minute."
        f" Open it again: kamp tenant resume {slug}",
    )


@tenants.command(
    "resume",
    help=_("중지한 기업을 다시 엽니다.", "Open a suspended company again."),
    epilog=example("kamp tenant resume haneul-mold"),
)
def tenant_resume(slug: Slug, as_json: Json = False) -> None:
    with platform() as registry:
        registry.resume(slug)
    if as_json:
        print_json({"slug": slug, "status": "active"})
    else:
        say(f"'{slug}'을(를) 다시 열었습니다.", f"{slug!r} is open again.")
