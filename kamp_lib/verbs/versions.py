"""Versions of stored data sets: `datasets history`, `diff`, `restore`, `retain`, `runs`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kamp_lib import console
from kamp_lib.console import say
from kamp_lib.errors import UsageError
from kamp_lib.text import Text
from kamp_lib.verbs.common import Json, _, example, print_json, tenant_and
from kamp_lib.verbs.datasets import datasets

if TYPE_CHECKING:
    from kamp_lib.datasets.storage.history import Difference, VersionMade
    from kamp_lib.datasets.storage.retention import Retained
    from kamp_lib.datasets.types import Finding, StoredColumn


def named(ko: str, en: str) -> Any:
    """The words that follow a verb."""
    return typer.Argument(metavar=_(ko, en), help=_("예는 아래에", "see the example"))


Names = Annotated[list[str], named("기업 데이터셋", "TENANT DATASET")]
ONE = Text("데이터셋을 하나", "one data set")
WHAT = {
    "append": Text("이어 붙임", "append"),
    "replace": Text("바꿈", "replace"),
    "undo": Text("되돌림", "undo"),
    "restore": Text("복원", "restore"),
    "repair": Text("보류 행 고침", "repair"),
    "fix": Text("고침", "fix"),
    "retain": Text("오래된 판 정리", "clean-up"),
    "other": Text("다른 도구", "another tool"),
}
SHOWN_FILES = 3


def names_and(arguments: list[str], count: int, what: Text) -> tuple[Any, list[str]]:
    """The company and exactly `count` words after it."""
    company, rest = tenant_and(arguments)
    if len(rest) != count:
        raise UsageError(
            f"{what.ko} 적어 주세요. 예는 --help 에 있습니다.",
            f"name {what.en}; see --help for an example.",
        )
    return company, rest


def a_version(word: str) -> int:
    """A version as people write it: 3, v3, 3판."""
    digits = word.lower().removeprefix("v").removesuffix("판")
    if not digits.isascii() or not digits.isdigit():
        raise UsageError(
            f"'{word}'은(는) 버전 번호가 아닙니다. 예: 3",
            f"{word!r} is not the number of a version; for example 3",
        )
    return int(digits)


@datasets.command(
    "history",
    help=_(
        "데이터셋의 판(버전)이 언제, 무엇으로, 누가 만들었는지 봅니다.",
        "What made each version: when, by what, by whom.",
    ),
    epilog=example("kamp datasets history haneul-mold injection"),
)
def show_history(arguments: Names, as_json: Json = False) -> None:
    from kamp_lib.datasets import open_dataset

    company, rest = names_and(arguments, 1, ONE)
    data = open_dataset(company, rest[0])
    made = data.history()
    if as_json:
        print_json([one.model_dump(mode="json") for one in made])
        return
    console.table(
        [
            Text("버전", "version"),
            Text("시각", "time"),
            Text("한 일", "what"),
            Text("파일", "files"),
            Text("행", "rows"),
            Text("더한 행", "added"),
            Text("보류", "quarantined"),
            Text("품질", "quality"),
            Text("누가", "who"),
        ],
        [_version_row(one, data.time_zone) for one in made],
    )


def _version_row(made: VersionMade, time_zone: str) -> list[Any]:
    from zoneinfo import ZoneInfo

    what = str(WHAT.get(made.what, made.what))
    if made.to is not None and made.what != "fix":
        what += str(Text(f" → {made.to}판", f" → v{made.to}"))
    files = ", ".join(made.files[:SHOWN_FILES])
    more = len(made.files) - SHOWN_FILES
    stored, quarantined = (made.added.get(k, 0) for k in ("stored", "quarantined"))
    gone = Text("정리됨", "cleaned up")
    rows = gone if made.rows is None else f"{made.rows:,}"
    return [
        made.version,
        f"{made.time.astimezone(ZoneInfo(time_zone)):%Y-%m-%d %H:%M}",
        what,
        files + (f" +{more}" if more > 0 else ""),
        rows,
        f"{stored:+,}" if made.added else "",
        f"{quarantined:+,}" if quarantined else "",
        "" if made.quality is None else f"{made.quality:.0f}",
        made.who,
    ]


@datasets.command(
    "diff",
    help=_("두 판(버전)이 어떻게 다른지 봅니다.", "How two versions differ."),
    epilog=example("kamp datasets diff haneul-mold injection 1 3"),
)
def show_difference(
    arguments: Annotated[
        list[str], named("기업 데이터셋 버전 버전", "TENANT DATASET VERSION VERSION")
    ],
    as_json: Json = False,
) -> None:
    from kamp_lib.datasets import open_dataset

    what = Text("데이터셋과 버전 두 개를", "a data set and two versions")
    company, (name, first, second) = names_and(arguments, 3, what)
    before, after = (open_dataset(company, name, a_version(v)) for v in (first, second))
    found = after.diff(before)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    lines = _difference_lines(found, after.columns)
    say(
        f"{name}: {found.before}판 → {found.after}판" + ("" if lines else ": 같습니다"),
        f"{name}: v{found.before} → v{found.after}" + ("" if lines else ": the same"),
    )
    if lines:
        console.table(
            [
                Text("무엇이", "what"),
                Text("이름", "name"),
                Text("전", "before"),
                Text("후", "after"),
            ],
            lines,
        )


def _difference_lines(
    found: Difference, columns: Sequence[StoredColumn]
) -> list[list[Any]]:
    rows, column = Text("파일의 행", "rows of file"), Text("열", "column")
    span = Text("범위(최소·중간·최대)", "range (min, middle, max)")
    labels = {c.name: str(c.label) for c in columns}
    lines: list[list[Any]] = [
        [rows, f.file, f"{f.before:,}", f"{f.after:,}"] for f in found.files
    ]
    none = "–"
    lines += [
        [column, labels.get(c.column, c.column), c.before or none, c.after or none]
        for c in found.columns
    ]
    for moved in found.ranges:
        ends = [" · ".join(f"{v:.5g}" for v in r) for r in (moved.before, moved.after)]
        lines.append([span, labels.get(moved.column, moved.column), *ends])
    note, yes = Text("발견 사항", "finding"), Text("있음", "yes")
    lines += [[note, _title(f), "", yes] for f in found.findings_new]
    lines += [[note, _title(f), yes, ""] for f in found.findings_gone]
    return lines


def _title(finding: Finding) -> str:
    """What was found, and in which column of the file."""
    from kamp_lib.datasets.findings import catalogue

    where = f": {finding.columns[0]}" if finding.columns else ""
    return f"{catalogue()[finding.code].title}{where}"


@datasets.command(
    "restore",
    help=_(
        "예전 판(버전)을 새 판으로 되살립니다. kamp ingest --undo 로 되돌릴 수 있습니다.",
        "Make an old version the newest again; kamp ingest --undo takes that back.",
    ),
    epilog=example("kamp datasets restore haneul-mold injection 2"),
)
def restore_version(
    arguments: Annotated[
        list[str], named("기업 데이터셋 버전", "TENANT DATASET VERSION")
    ],
    as_json: Json = False,
) -> None:
    from kamp_lib.datasets import restore

    what = Text("데이터셋과 버전 하나를", "a data set and one version")
    company, (name, version) = names_and(arguments, 2, what)
    now = restore(company, name, a_version(version))
    if as_json:
        print_json({"dataset": name, "version": now.version, "rows": now.rows})
        return
    say(
        f"{version}판을 되살려 {now.version}판으로 저장했습니다({now.rows:,}행)."
        f" 되돌리기: kamp ingest --undo {company.slug} {name}",
        f"version {version} is back as version {now.version} ({now.rows:,} rows)."
        f" To take that back: kamp ingest --undo {company.slug} {name}",
    )


@datasets.command(
    "retain",
    help=_(
        "오래된 판(버전)을 규칙에 따라 지웁니다. 분석에 쓰인 판은 남깁니다.",
        "Delete old versions by rule; versions that analyses used are kept.",
    ),
    epilog=example(
        "kamp datasets retain haneul-mold injection --keep-versions 10 --keep-days 90 --dry-run",
        "kamp datasets retain haneul-mold --keep-days 365 --remember",
        "kamp datasets retain haneul-mold",
    ),
)
def retain_versions(
    arguments: Annotated[list[str], named("기업 [데이터셋]", "TENANT [DATASET]")],
    keep_versions: Annotated[
        int | None,
        typer.Option(min=1, help=_("남길 최근 판의 수", "newest versions to keep")),
    ] = None,
    keep_days: Annotated[
        int | None,
        typer.Option(min=0, help=_("이 날수 안의 판은 남김", "keep the last N days")),
    ] = None,
    even_used: Annotated[
        bool,
        typer.Option(
            "--even-used",
            help=_("분석에 쓰인 판도 지움", "delete what analyses used, too"),
        ),
    ] = False,
    remember: Annotated[
        bool,
        typer.Option(
            "--remember",
            help=_(
                "이 규칙을 기억함(다음에는 숫자 없이)", "keep this rule for next time"
            ),
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help=_("지우지 않고 보기만", "look, delete nothing")),
    ] = False,
    as_json: Json = False,
) -> None:
    from kamp_lib.datasets.storage.dataset import stored_names
    from kamp_lib.datasets.storage.retention import (
        Policy,
        policy_for,
        remember_policy,
        retain,
    )

    company, rest = tenant_and(arguments)
    if len(rest) > 1:
        raise UsageError("데이터셋은 하나만 적으세요.", "name one data set at most.")
    policy = Policy(keep_versions=keep_versions, keep_days=keep_days)
    if remember and not policy.says_nothing:
        remember_policy(company, rest[0] if rest else None, policy)
    done = [
        retain(
            company,
            name,
            policy_for(company, name) if policy.says_nothing else policy,
            even_used=even_used,
            dry_run=dry_run,
        )
        for name in rest or stored_names(company)
    ]
    if as_json:
        print_json([one.model_dump(mode="json") for one in done])
        return
    for one in done:
        _say_retained(one)


def _say_retained(done: Retained) -> None:
    versions = ", ".join(map(str, done.given_up)) or "–"
    size = f"{done.bytes / 1e6:,.1f} MB"
    if done.dry_run:
        say(
            f"{done.dataset}: 지울 판 {versions} (파일 {done.files}개, {size}). 아직 지우지 않았습니다.",
            f"{done.dataset}: would delete versions {versions} ({done.files} files, {size}).",
        )
    else:
        say(
            f"{done.dataset}: 판 {versions} 을(를) 지웠습니다 (파일 {done.files}개, {size}).",
            f"{done.dataset}: deleted versions {versions} ({done.files} files, {size}).",
        )
    for version, runs in done.used.items():
        say(
            f"  {version}판은 분석 {len(runs)}건이 써서 남겼습니다. 예: {runs[0]}",
            f"  version {version} is kept: {len(runs)} run(s) used it, such as {runs[0]}",
        )
    if done.unreadable_runs:
        say(
            f"  읽을 수 없는 분석 기록 {len(done.unreadable_runs)}건은 헤아리지 못했습니다.",
            f"  {len(done.unreadable_runs)} record(s) of runs could not be read.",
        )


@datasets.command(
    "runs",
    help=_("이 데이터셋을 쓴 분석 실행.", "The analyses that used this data set."),
    epilog=example("kamp datasets runs haneul-mold injection"),
)
def show_runs(arguments: Names, as_json: Json = False) -> None:
    from kamp_lib.datasets import open_dataset

    company, rest = names_and(arguments, 1, ONE)
    found = open_dataset(company, rest[0]).runs()
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    if not found.runs:
        say(
            "이 데이터셋을 쓴 분석이 아직 없습니다.",
            "no run has used this data set yet.",
        )
    else:
        console.table(
            [
                Text("분석 실행", "run"),
                Text("모델", "model"),
                Text("데이터 판", "data version"),
                Text("상태", "status"),
            ],
            [
                [r.run, r.model.id, r.dataset.version if r.dataset else "", r.status]
                for r in found.runs
            ],
        )
    if found.unreadable:
        names = ", ".join(found.unreadable[:SHOWN_FILES])
        say(
            f"읽을 수 없는 분석 기록 {len(found.unreadable)}건: {names}",
            f"{len(found.unreadable)} record(s) could not be read: {names}",
        )
