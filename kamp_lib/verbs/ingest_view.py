"""What an ingest did, at a terminal: where rows went, how good they are, what was found."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from kamp_lib import console
from kamp_lib.console import say
from kamp_lib.tenancy import Tenant
from kamp_lib.text import Text

if TYPE_CHECKING:
    from kamp_lib.datasets.types import Finding, IngestResult, Quality

MARKS = {
    "error": Text("✕ 오류", "✕ error"),
    "warning": Text("⚠ 주의", "⚠ warning"),
    "info": Text("○ 안내", "○ note"),
}
ORDER = list(MARKS)
GENERIC = "generic"  # the machine without standard columns
SHOWN = 4  # sentences of one kind
NOTE_WIDTH = 110  # characters of a note


def show_ingest(tenant: Tenant, result: IngestResult, command: Sequence[str]) -> None:
    """Everything about one ingest, ending with the commands that may follow.

    `command` is what to say to bring the same files in again.
    """
    if result.unchanged:
        say(
            "이미 가져온 파일입니다. 바뀐 것이 없습니다.",
            "this file is in already; nothing changed.",
        )
    counts = (
        result.rows_read,
        result.rows_stored,
        result.rows_quarantined,
        result.rows_duplicate,
    )
    say(
        "읽은 행 {:,} = 저장 {:,} + 보류(격리) {:,} + 중복 {:,}".format(*counts),
        "read {:,} = stored {:,} + quarantined {:,} + duplicates {:,}".format(*counts),
    )
    show_quality(result.quality)
    show_findings(result.findings, brief=True)
    _show_doubtful_columns(result)
    _show_fixes(result, command)
    _show_mapping(result)
    if result.dry_run:
        say(
            "살펴보기만 했고 저장하지 않았습니다. 저장하려면 --dry-run 을 빼고 다시 실행하세요.",
            "a dry run: nothing was stored. Run it again without --dry-run to store it.",
        )
    else:
        _show_what_next(tenant, result)


def _show_mapping(result: IngestResult) -> None:
    """How many columns are known to the catalogue, and where to mend that."""
    from kamp_lib.catalog import equipment_type

    machine, names = equipment_type(result.equipment), result.mapping.names()
    own = [source for source, name in names.items() if machine.column(name) is None]
    if result.equipment != GENERIC:
        known, kept = len(names) - len(own), shorten(", ".join(own), NOTE_WIDTH // 2)
        rest = Text(f" 이름 그대로 둔 열: {kept}", f" Kept as named: {kept}")
        say(
            f"열 {len(names)}개 가운데 {known}개를 표준 열로 알아보았습니다."
            + (rest.ko if own else ""),
            f"{known} of {len(names)} columns are standard columns."
            + (rest.en if own else ""),
        )
    if result.mapping_file:
        say(
            f"열 맞추기 파일(고쳐 쓸 수 있음): {result.mapping_file}",
            f"column mapping (you may edit it): {result.mapping_file}",
        )


def _show_doubtful_columns(result: IngestResult) -> None:
    from kamp_lib.catalog import equipment_type

    machine = equipment_type(result.equipment)

    def labelled(name: str | None) -> str:
        column = machine.column(name) if name else None
        return f"{column.label} ({name})" if column else str(name)

    unsure = [m for m in result.mapping.columns if m.maybe]
    if unsure:
        console.table(
            [
                Text("파일의 열", "column of the file"),
                Text("혹시 이 열?", "perhaps"),
                Text("이유", "reason"),
            ],
            [[m.source, labelled(m.maybe), m.reason] for m in unsure],
            title=Text("확인이 필요한 열 맞추기", "Column mapping to check"),
        )


def _show_fixes(result: IngestResult, command: Sequence[str]) -> None:
    """What was mended, and the command that mends what could be."""
    from kamp_lib.datasets.findings import catalogue
    from kamp_lib.datasets.fixes import fixes

    for done in result.fixes:
        title, where = catalogue()[done.code].title, ", ".join(done.columns)
        say(
            f"고침 · {title.ko}: {done.said_ko} {where} ({done.count:,}곳)",
            f"mended · {title.en}: {done.said_en} {where} ({done.count:,})",
        )
    there = {f.code for f in result.findings if f.severity != "info"}
    could = [code for code in fixes() if code in there]
    if could:
        done_again = [done.code for done in result.fixes]  # or they would be undone
        codes = dict.fromkeys([*done_again, *could])
        mending = [word for code in codes for word in ("--fix", code)]
        again = " ".join(map(quoted, [*command, *mending]))
        say(
            f"고쳐서 다시 가져오기(필요한 --fix 만 남기세요): {again}",
            f"to have it mended (leave out what you do not need): {again}",
        )


def _show_what_next(tenant: Tenant, result: IngestResult) -> None:
    """Where the rows are now, how to look at them, and the analysis that fits."""
    there = f"{tenant.slug} {result.dataset}"
    if result.rows_quarantined:
        say(
            f"보류된 행을 꺼내 고치기: kamp datasets quarantine {there} --to 보류.csv",
            f"to mend rejected rows: kamp datasets quarantine {there} --to rejected.csv",
        )
    if result.version is None:
        return
    kept = (
        Text("데이터셋", "data set") if result.unchanged else Text("저장됨", "stored")
    )
    say(
        f"{kept.ko}: {result.dataset} {result.version}판."
        f" 열마다 쓸 수 있는지 보기: kamp datasets show {there}",
        f"{kept.en}: {result.dataset} v{result.version};"
        f" which columns are usable: kamp datasets show {there}",
    )
    analysis = _analysis(result)
    if analysis:
        command = f"kamp run {tenant.slug} {analysis}"
        say(f"다음: {command}", f"next: {command}")
    else:
        command = f"kamp run {tenant.slug} quality-classification"
        command += f" --dataset {result.dataset} -p target="
        say(
            f"양품·불량이 적힌 열이 있으면: {command}열이름",
            f"where a column says good or bad: {command}COLUMN",
        )


def _analysis(result: IngestResult) -> str:
    """The standard model for the machine; of other tables, for their label column."""
    from kamp_lib.catalog import standard_models
    from kamp_lib.datasets.checks.context import is_label_name

    models = standard_models().values()
    fitting = [m.id for m in models if m.equipment == result.equipment]
    if fitting:
        return f"{fitting[0]} --dataset {result.dataset}"
    named = [name for name in result.mapping.names().values() if is_label_name(name)]
    if not named:
        return ""
    target = quoted(f"target={named[0]}")
    return f"quality-classification --dataset {result.dataset} -p {target}"


def quoted(word: str) -> str:
    """A word as a shell takes it; Hangul needs no quotes, unlike `shlex` has it.

    >>> quoted("샷기록.csv"), quoted("샷 기록.csv")
    ('샷기록.csv', "'샷 기록.csv'")
    """
    return word if re.fullmatch(r"[\w@%+=:,./-]+", word) else shlex.quote(word)


def show_quality(quality: Quality) -> None:
    """The score and its five parts on one line."""
    say(
        f"데이터 품질 점수 {quality.score:.0f}점 (완전성 {quality.completeness:.0f},"
        f" 유효성 {quality.validity:.0f}, 유일성 {quality.uniqueness:.0f},"
        f" 일관성 {quality.consistency:.0f}, 적시성 {quality.timeliness:.0f})",
        f"data quality {quality.score:.0f} (completeness {quality.completeness:.0f},"
        f" validity {quality.validity:.0f}, uniqueness {quality.uniqueness:.0f},"
        f" consistency {quality.consistency:.0f}, timeliness {quality.timeliness:.0f})",
    )


def show_findings(findings: Sequence[Finding], *, brief: bool = False) -> None:
    """Findings by kind, the gravest first: what it is, where, and what to do.

    `brief` gives notes, which ask for nothing, a line each below the rest.
    """
    from kamp_lib.datasets.findings import catalogue

    def kind(finding: Finding) -> tuple[int, str]:
        return ORDER.index(finding.severity), finding.code

    notes = [f for f in findings if brief and f.severity == "info"]
    grave = [f for f in findings if f not in notes]
    for (place, code), group in groupby(sorted(grave, key=kind), kind):
        alike = list(group)
        mark, title = MARKS[ORDER[place]], catalogue()[code].title
        say(f"\n{mark.ko} · {title.ko} ({code})", f"\n{mark.en} · {title.en} ({code})")
        for finding in alike[:SHOWN]:
            say(f"   · {finding.message.ko}", f"   · {finding.message.en}")
        if len(alike) > SHOWN:
            more = len(alike) - SHOWN
            say(f"   · 그 밖에 {more}건", f"   · and {more} more")
        for action in dict.fromkeys(str(f.action) for f in alike[:SHOWN]):
            if action:
                say(f"   → {action}", f"   → {action}")
    if notes:
        _show_notes(sorted(notes, key=kind))
    if findings:
        say("", "")


def _show_notes(notes: Sequence[Finding]) -> None:
    count = len(notes)
    mark = MARKS["info"]
    say(f"\n{mark.ko} {count}건", f"\n{mark.en}s: {count}")
    for _, group in groupby(notes, lambda note: note.code):
        alike = list(group)
        said = shorten(str(alike[0].message), NOTE_WIDTH)
        more = len(alike) - 1
        rest = Text(f" 그 밖에 {more}건", f" and {more} more") if more else ""
        say(f"   · {said}{rest}", f"   · {said}{rest}")


def shorten(sentence: str, width: int) -> str:
    """A sentence cut at a word; the page of the data set says the whole.

    >>> shorten("one two three", 9)
    'one two …'
    """
    if len(sentence) <= width:
        return sentence
    return sentence[: width - 1].rsplit(" ", 1)[0] + " …"
