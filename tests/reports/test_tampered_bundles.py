"""Attacks through a bundle: whatever stands in it, one sentence or a harmless page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from kamp_lib import reports
from kamp_lib.errors import KampError
from kamp_lib.runs import Bundle

SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}\x00\u202e"
PLAIN = {"status", "family", "started", "finished", "first_time", "last_time"}
PLAIN |= {"severity", "value", "kind", "time_zone", "run", "role", "direction", "time"}


def tampered(folder: Path, change: Callable[[str, object], object]) -> Bundle:
    """The bundle with every single value of `run.json` and `page.json` changed."""

    def walk(value: object, name: str = "") -> object:
        if isinstance(value, dict):
            return {key: walk(v, key) for key, v in value.items()}
        if isinstance(value, list):
            return [walk(v, name) for v in value]
        return change(name, value)

    for file in (folder / "run.json", folder / "page.json"):
        if file.is_file():
            file.write_text(json.dumps(walk(json.loads(file.read_text()))))
    return Bundle(folder)


def test_no_string_of_a_bundle_becomes_markup(bundle: Bundle, tmp_path: Path) -> None:
    def script(name: str, value: object) -> object:
        return SCRIPT if isinstance(value, str) and name not in PLAIN else value

    evil = tampered(bundle.path, script)
    html = reports.export(evil, tmp_path / "a.html").read_text()
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    reports.export(evil, tmp_path / "a.xlsx")


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_a_record_with_impossible_numbers_is_unreadable(
    bundle: Bundle, odd: float
) -> None:
    evil = tampered(bundle.path, lambda _, v: odd if isinstance(v, float) else v)
    with pytest.raises(KampError, match=r"run\.json"):
        _ = evil.record


@pytest.mark.parametrize("huge", [1e308, -1e308])
def test_monstrous_numbers_do_not_break_a_page(
    bundle: Bundle, tmp_path: Path, huge: float
) -> None:
    evil = tampered(bundle.path, lambda _, v: huge if isinstance(v, float) else v)
    for kind in ("html", "xlsx"):
        assert reports.export(evil, tmp_path / f"a.{kind}").stat().st_size


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: pd.DataFrame({"other": [1, 2]}),
        lambda frame: frame.assign(**dict.fromkeys(frame)),
        lambda frame: frame.assign(**dict.fromkeys(frame, "abc")),
    ],
)
def test_tables_of_another_shape_are_one_sentence(
    bundle: Bundle, tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    (bundle.path / "page.json").unlink(missing_ok=True)
    for file in (bundle.path / "tables").iterdir():
        change(pd.read_parquet(file)).to_parquet(file, index=False)
    with pytest.raises(KampError, match="다시 실행"):
        reports.export(Bundle(bundle.path), tmp_path / "a.html")


def test_a_damaged_table_is_named(bundle: Bundle, tmp_path: Path) -> None:
    (bundle.path / "tables" / "cases.parquet").write_bytes(b"junk")
    with pytest.raises(KampError, match=r"cases\.parquet"):
        reports.export(Bundle(bundle.path), tmp_path / "a.xlsx")
