from __future__ import annotations

import re
import subprocess
import sys

from kamp_lib.reports.first_paint import FIRST_PAINT
from kamp_lib.runs import Bundle


def test_it_holds_verdict_and_money_in_both_languages(bundle: Bundle) -> None:
    html = (bundle.path / FIRST_PAINT).read_text(encoding="utf-8")
    for said in ("사용 가능", "예상 절감액", "Usable", "Expected saving"):
        assert said in html


def test_it_runs_no_script_and_loads_nothing_from_elsewhere(bundle: Bundle) -> None:
    html = (bundle.path / FIRST_PAINT).read_text(encoding="utf-8")
    assert "<script" not in html
    assert 'src="http' not in html
    assert "url('http" not in html


def test_the_run_draws_every_figure_in_both_languages(bundle: Bundle) -> None:
    names = {file.name for file in (bundle.path / "figures").glob("*.svg")}
    for name in ("tradeoff", "groups", "scores", "calibration"):
        assert {f"{name}.ko.svg", f"{name}.en.svg"} <= names


def test_no_name_in_it_stands_for_two_things(bundle: Bundle) -> None:
    """The figures of the language that is hidden would clip those that are shown."""
    html = (bundle.path / FIRST_PAINT).read_text(encoding="utf-8")
    names = re.findall(r' id="([^"]+)"', html)
    pointed_to = set(re.findall(r'(?:url\(|href=")#([\w-]+)', html))
    assert pointed_to
    assert pointed_to <= set(names)
    assert len(names) == len(set(names))


def test_a_page_opens_without_pandas_or_matplotlib(bundle: Bundle) -> None:
    code = (
        "import sys; from pathlib import Path; from kamp_lib import reports;"
        f"page = reports.page(Path({str(bundle.path)!r}));"
        "[getattr(page, b)() for b in ('verdict', 'worth', 'causes', 'cases',"
        " 'chart', 'trust', 'origin')];"
        "print(sorted({'pandas', 'matplotlib', 'xgboost', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
