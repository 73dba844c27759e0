"""A company takes its data with it: `tenant export`, `tenant remove`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kamp_lib import console
from kamp_lib.console import say
from kamp_lib.errors import KampError, UsageError
from kamp_lib.text import Text
from kamp_lib.verbs.common import Json, _, example, print_json
from kamp_lib.verbs.platform import platform
from kamp_lib.verbs.tenants import Slug, tenants

if TYPE_CHECKING:
    from kamp_lib.tenancy import Registry
    from kamp_lib.tenancy.export import Exported

SHOWN = 10
REASONS = {
    "link": Text("링크", "a link"),
    "special": Text("파일이 아님", "not a file"),
    "too-deep": Text("너무 깊은 폴더", "too far down"),
    "unreadable": Text("읽을 수 없음", "cannot be read"),
    "linked-outside": Text("폴더 밖에도 이름이 있음", "has a name elsewhere"),
    "sparse": Text("대부분 빈 거대한 파일", "huge, and mostly nothing"),
}
NoCsv = Annotated[
    bool,
    typer.Option(
        "--no-csv",
        help=_("표의 CSV 사본을 만들지 않습니다", "no CSV copies of the tables"),
    ),
]


@tenants.command(
    "export",
    help=_(
        "기업의 모든 데이터를 공개 형식의 zip 파일 하나로 내보냅니다.",
        "Write everything of a company to one zip file, in open formats.",
    ),
    epilog=example("kamp tenant export haneul-mold --to haneul-mold.zip"),
)
def tenant_export(
    slug: Slug,
    to: Annotated[Path, typer.Option(help=_("만들 zip 파일", "the zip file"))],
    no_csv: NoCsv = False,
    as_json: Json = False,
) -> None:
    with platform() as registry:
        done = _export(registry, slug, to, csv=not no_csv)
    if as_json:
        print_json(_as_json(slug, done))
    else:
        _tell(done)
    _refuse_losses(done)


def _export(registry: Registry, slug: str, to: Path, *, csv: bool) -> Exported:
    from kamp_lib.tenancy.export import export_sme

    writer = None
    if csv:
        from kamp_lib.hub.csv_job import tables_as_csv

        writer = tables_as_csv
    with console.progress(Text("내보내기", "export")) as listener:
        return export_sme(registry, slug, to, csv=writer, progress=listener)


def _as_json(slug: str, done: Exported) -> dict[str, Any]:
    return {
        "slug": slug,
        "file": str(done.path),
        "files": done.files,
        "bytes": done.bytes,
        "csv": done.without_csv is None,
        "skipped": [{"path": s.path, "reason": s.reason} for s in done.skipped],
    }


def _tell(done: Exported) -> None:
    say(
        f"내보냈습니다: {done.path} (파일 {done.files:,}개, {done.bytes / 2**20:,.1f} MB)",
        f"exported: {done.path} ({done.files:,} files, {done.bytes / 2**20:,.1f} MB)",
    )
    if done.without_csv is not None:
        say(
            f"CSV 사본은 없습니다. {done.without_csv.ko}",
            f"without CSV copies: {done.without_csv.en}",
        )
    for one in done.skipped[:SHOWN]:
        shown = one.path.encode("utf-8", "backslashreplace").decode()
        console.complain(f"  {REASONS[one.reason]}: {shown!r}")
    if len(done.skipped) > SHOWN:
        more = len(done.skipped) - SHOWN
        console.complain(
            _(
                f"  … 그 밖에 {more:,}개(manifest.json에 모두 있습니다)",
                f"  … and {more:,} more (manifest.json has all)",
            )
        )


def _refuse_losses(done: Exported) -> None:
    """What was passed over although it may hold data is never passed over in silence."""
    if done.lost:
        raise KampError(
            f"파일 {len(done.lost):,}개가 빠졌습니다. 위의 이유를 고치고 다시 내보내세요.",
            f"{len(done.lost):,} files are missing; mend the reasons above and export again.",
        )


@tenants.command(
    "remove",
    help=_(
        "기업을 지웁니다. 먼저 묻고, 내보낸 뒤에 지웁니다.",
        "Remove a company: asks, exports, then deletes.",
    ),
    epilog=example(
        "kamp tenant remove haneul-mold",
        "kamp tenant remove haneul-mold --yes --to /backup/haneul-mold.zip",
    ),
)
def tenant_remove(
    slug: Slug,
    yes: Annotated[
        bool, typer.Option("--yes", help=_("묻지 않습니다", "do not ask"))
    ] = False,
    to: Annotated[
        Path | None,
        typer.Option(
            help=_(
                "내보낼 zip 파일(비우면 KAMP_HOME/exports)",
                "the zip file (KAMP_HOME/exports when left out)",
            )
        ),
    ] = None,
    no_export: Annotated[
        bool,
        typer.Option(
            "--no-export",
            help=_("내보내지 않고 지웁니다", "delete without an export"),
        ),
    ] = False,
    no_csv: NoCsv = False,
    as_json: Json = False,
) -> None:
    with platform() as registry:
        there = any(sme.slug == slug for sme in registry.smes())
        if there:
            _ask(registry, slug, yes=yes, no_export=no_export)
            registry.suspend(slug)  # its servers end, and nobody writes meanwhile
        exported = None
        if there and not no_export and registry.folder(slug).is_dir():
            exported = _export(
                registry, slug, to or _export_file(registry, slug), csv=not no_csv
            )
            if not as_json:
                _tell(exported)
            _refuse_losses(exported)
        registry.remove_sme(slug)
    if as_json:
        file = str(exported.path) if exported else None
        print_json({"slug": slug, "removed": True, "export": file})
    else:
        say(f"기업을 지웠습니다: {slug}", f"removed the company: {slug}")


def _ask(registry: Registry, slug: str, *, yes: bool, no_export: bool) -> None:
    """Say what will be gone, and have the id typed."""
    if yes:
        return
    if not console.somebody_there():
        raise UsageError(
            "터미널이 아니어서 물어볼 수 없습니다. 정말 지우려면 --yes를 붙이세요.",
            "nobody is at a terminal to be asked; add --yes to remove it.",
        )
    for line in _what_will_be_gone(registry, slug):
        console.complain(str(line))
    if no_export:
        console.complain(
            _(
                "내보내지 않습니다. 되살릴 수 없습니다.",
                "No export: nothing comes back.",
            )
        )
    typed = console.ask(
        Text(
            f"지우려면 기업 ID '{slug}'를 적으세요",
            f"type the id {slug!r} to remove the company",
        )
    )
    if typed != slug:
        raise KampError(
            "지우지 않았습니다. 바뀐 것이 없습니다.",
            "not removed; nothing has changed.",
        )


def _what_will_be_gone(registry: Registry, slug: str) -> list[Text]:
    from kamp_lib.tenancy.hostile import measure

    sme, folder = registry.sme(slug), registry.folder(slug)
    size = measure(folder)
    people = ", ".join(registry.people_of(slug)) or "–"
    counts = [_folders_in(folder / part) for part in ("data", "runs", "published")]
    data, runs, published = counts
    return [
        Text(f"기업: {sme.name.ko} ({slug})", f"company: {sme.name.en} ({slug})"),
        Text(
            f"데이터 폴더 {data:,}개, 분석 실행 {runs:,}개, 게시한 보고서 {published:,}개",
            f"{data:,} data folders, {runs:,} runs, {published:,} published reports",
        ),
        Text(
            f"파일 {size.files:,}개, {size.on_disk / 2**20:,.1f} MB",
            f"{size.files:,} files, {size.on_disk / 2**20:,.1f} MB",
        ),
        Text(
            f"역할이 없어지는 사람: {people}", f"people who lose their roles: {people}"
        ),
    ]


def _folders_in(folder: Path) -> int:
    if folder.is_symlink() or not folder.is_dir():
        return 0
    return sum(
        path.is_dir() and not path.is_symlink() and not path.name.startswith(".")
        for path in folder.iterdir()
    )


def _export_file(registry: Registry, slug: str) -> Path:
    folder = registry.home / "exports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"{slug}-{datetime.now():%Y%m%d-%H%M%S}.zip"
