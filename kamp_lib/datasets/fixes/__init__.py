"""What `--fix CODE` does about a finding, and the record of what was done.

A fix changes the mapped rows before they are stored. The file as it came is kept, so
whatever a fix did can be taken back (`kamp ingest --undo`) and done otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import pandas as pd

from kamp_lib.catalog import Equipment
from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.findings import catalogue
from kamp_lib.datasets.fixes import columns, decimals, rows, times, values
from kamp_lib.datasets.fixes.change import Change, Fix
from kamp_lib.datasets.raw import FILE, PROVENANCE, ROW
from kamp_lib.datasets.types import AppliedFix, Finding, Mapping
from kamp_lib.errors import KampError, UsageError
from kamp_lib.text import Text


@cache
def fixes() -> dict[str, Fix]:
    """All fixes by the code of the finding that they mend."""
    blank = Text("그 값을 빈칸으로 바꿉니다.", "Those values become gaps.")
    leave_out = Text("그 열을 저장하지 않습니다.", "Those columns are not stored.")
    return {
        "sentinel-value": Fix(blank, values.blank_placeholders),
        "implausible-values": Fix(blank, values.blank_implausible),
        "saturation": Fix(blank, values.blank_placeholders),
        "frozen-sensor": Fix(
            Text(
                "멈춰 있던 구간의 값을 빈칸으로 바꿉니다.",
                "The values of the stretch become gaps.",
            ),
            values.blank_frozen,
        ),
        "unit-change": Fix(
            Text(
                "적은 쪽의 값을 많은 쪽의 단위로 바꿉니다.",
                "The lesser part is converted into the unit of the greater.",
            ),
            values.one_unit,
        ),
        "category-variants": Fix(
            Text(
                "가장 많이 쓰인 표기로 통일합니다.",
                "Every word is written as it is written most.",
            ),
            values.one_spelling,
        ),
        "setpoint-actual-swapped": Fix(
            Text(
                "설정값과 실측값을 서로 맞바꿉니다.",
                "Setpoint and actual value are exchanged.",
            ),
            columns.exchange,
        ),
        "dead-column": Fix(leave_out, columns.leave_out_all),
        "index-column": Fix(leave_out, columns.leave_out_first),
        "derived-column": Fix(leave_out, columns.leave_out_first),
        "label-in-disguise": Fix(leave_out, columns.leave_out_first),
        "swapped-columns": Fix(
            Text(
                "두 열의 값을 서로 맞바꿉니다.",
                "The values of the two columns are exchanged.",
            ),
            columns.exchange,
        ),
        "duplicate-rows": Fix(
            Text(
                "같은 행은 첫 번째만 저장하고 나머지는 보류합니다.",
                "Of equal rows the first is stored; the others go to quarantine.",
            ),
            rows.leave_out_repeats,
        ),
        "copied-runs": Fix(
            Text(
                "복사본으로 보이는 회차 가운데 뒤의 것을 보류합니다.",
                "Of two runs that are copies the later one goes to quarantine.",
            ),
            rows.leave_out_copies,
        ),
        "restarting-id": Fix(
            Text(
                "다시 시작한 번호를 앞 번호에 이어서 매깁니다.",
                "A counter that starts over goes on from where it was.",
            ),
            rows.number_on,
        ),
        "coarse-timestamps": Fix(
            Text(
                "같은 시각의 행들을 행 순서에 따라 고르게 나눈 시각으로 되살립니다.",
                "Rows of one stamp are spread evenly over its time, in their order.",
            ),
            times.rebuild,
        ),
        "day-end-midnight": Fix(
            Text(
                "하루를 끝내는 00:00을 다음 날로 옮깁니다.",
                "The 00:00 that ends a day is moved to the next day.",
            ),
            times.move_day_ends,
        ),
        "mixed-decimals": Fix(
            Text(
                "점을 천 단위 구분으로 보고 값을 1000배로 바꿉니다.",
                "The points are taken for thousands signs: values become 1000 times.",
            ),
            decimals.thousands,
        ),
        "implausible-dates": Fix(
            Text(
                "앞뒤 행의 시각이 같으면 그 시각으로 바꿉니다.",
                "Impossible dates between two equal stamps take that stamp.",
            ),
            times.mend_dates,
        ),
    }


@dataclass(frozen=True)
class Fixed:
    """Rows after their fixes: what is left, what was put aside, and the record."""

    frame: pd.DataFrame
    left_out: dict[int, str]  # index of a row put aside -> code of the fix
    applied: list[AppliedFix]


def apply_fixes(
    frame: pd.DataFrame,
    findings: Sequence[Finding],
    codes: Sequence[str],
    *,
    equipment: Equipment,
    record_kind: str | None,
    mapping: Mapping | None,
) -> Fixed:
    """Apply the fixes that were asked for, one after another.

    Parameters
    ----------
    frame : DataFrame
        Mapped rows with provenance; its index tells the rows apart.
    findings : sequence of Finding
        What the checks said of this frame.
    codes : sequence of str
        Which findings to mend.

    Raises
    ------
    UsageError
        A code that does not exist, or for which there is no fix.
    KampError
        A finding that this file does not have, or that cannot be mended safely.
    """
    left_out: dict[int, str] = {}
    applied = []
    for code in dict.fromkeys(codes):
        fix = fix_of(code)
        mine = [f for f in findings if f.code == code]
        if not mine:
            raise _not_found(code, findings)
        change = fix.mend(Context(frame, equipment, record_kind, mapping), mine)
        if change is None:
            raise _not_mended(code)
        frame = change.frame
        if change.left_out is not None:
            left_out |= dict.fromkeys(frame.index[change.left_out].tolist(), code)
            frame = frame[~change.left_out]
        applied.append(_record(code, fix, change))
    if frame.empty:
        raise _nothing_left(codes)
    return Fixed(frame, left_out, applied)


def put_aside(rows: pd.DataFrame, left_out: dict[int, str]) -> pd.DataFrame:
    """Rows that fixes left out, as quarantine keeps them: whole, with the reason."""
    taken = rows.loc[list(left_out)]
    cells = taken.drop(columns=list(PROVENANCE))
    titles = {code: catalogue()[code].title for code in set(left_out.values())}
    return pd.DataFrame(
        {
            FILE: taken[FILE].to_numpy(dtype=object),
            ROW: taken[ROW].to_numpy(),
            "reason_code": list(left_out.values()),
            "reason_ko": [f"고치기: {titles[c].ko}" for c in left_out.values()],
            "reason_en": [f"fixed: {titles[c].en}" for c in left_out.values()],
            "columns": "",
            "original": [
                json.dumps(row, ensure_ascii=False, default=str)
                for row in cells.to_dict("records")
            ],
        }
    )


def fix_of(code: str) -> Fix:
    """The fix for a code; a code without one is wrong usage."""
    if code in fixes():
        return fixes()[code]
    known = ", ".join(sorted(fixes()))
    if code in catalogue():
        fix_ko, fix_en = (
            catalogue()[code].fix_ko.strip(),
            catalogue()[code].fix_en.strip(),
        )
        raise UsageError(
            f"'{code}'은(는) 자동으로 고칠 수 없습니다. {fix_ko}",
            f"{code!r} cannot be fixed by itself. {fix_en}",
        )
    raise UsageError(
        f"'{code}'이라는 발견 사항은 없습니다. 고칠 수 있는 것: {known}",
        f"there is no finding {code!r}; these can be fixed: {known}",
    )


def _record(code: str, fix: Fix, change: Change) -> AppliedFix:
    return AppliedFix(
        code=code,
        columns=list(change.columns),
        count=change.count,
        said_ko=fix.said.ko,
        said_en=fix.said.en,
    )


def _not_found(code: str, findings: Sequence[Finding]) -> KampError:
    there = ", ".join(sorted({f.code for f in findings} & set(fixes()))) or "-"
    return KampError(
        f"이 파일에는 '{code}' 문제가 없습니다. 이 파일에서 고칠 수 있는 것: {there}",
        f"this file has no {code!r}; what can be fixed in it: {there}",
    )


def _not_mended(code: str) -> KampError:
    fix = catalogue()[code]
    return KampError(
        f"'{code}'은(는) 이 파일에서 안전하게 고칠 수 없습니다. {fix.fix_ko.strip()}",
        f"{code!r} cannot be fixed safely in this file. {fix.fix_en.strip()}",
    )


def _nothing_left(codes: Sequence[str]) -> KampError:
    said = ", ".join(codes)
    return KampError(
        f"고치고 나니 저장할 행이 남지 않습니다({said}). --fix 에서 하나씩 빼 보세요.",
        f"nothing is left to store after these fixes ({said}); leave one out.",
    )
