"""Large data sets of the test bed's machines, for `scale.py`: stretches laid end to end.

A simulator makes a stretch of 50,000 shots or strokes; the next one follows with days,
serial numbers and lots of its own. Runs of a mill are simulated in stretches of 150.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from kamp_lib.tenancy import add_tenant, tenant_at
from kamp_lib.testbed import cnc, injection, press, simulate
from kamp_lib.workbench import Company

STRETCH = 50_000
MILL = 150  # runs of a stretch of the mill
SAMPLES = 305  # of a run, about

# name -> standard model, its equipment
FAMILIES = {
    "quality-classification": ("injection-quality", "injection-moulding"),
    "die-breakage": ("press-die-breakage", "press"),
    "control-charts": ("press-die-breakage", "press"),
    "tool-wear-rul": ("cnc-machining-quality", "cnc-machine"),
    "vision-inspection": ("machine-vision-surface", "machine-vision"),
}


def make(family: str, rows: int, home: Path) -> dict[str, int]:
    """A company of its own with one data set of about `rows` rows (pictures)."""
    _, equipment = FAMILIES[family]
    company = Company(add_tenant("scale", family, equipment=(equipment,), home=home))
    raw = home / "raw"
    raw.mkdir()
    if family == "vision-inspection":
        made = simulate(FAMILIES[family][0], raw, size=rows)
        files, labels, on = made.files, made.labels, made.on
    else:
        files, labels, on = [raw / "rows.parquet"], None, None
        MAKERS[family](rows).to_parquet(files[0], index=False)
    result = company.ingest(equipment, files, labels=labels, on=on)
    columns = len(company.datasets()[0].columns)
    return {"rows": result.rows_stored, "columns": columns}


def shots(rows: int) -> pd.DataFrame:
    parts = []
    for k, size in enumerate(_stretches(rows, STRETCH)):
        part, _ = injection.shots(np.random.default_rng(k), max(size, 100))
        part["lot_id"] = part["lot_id"] + f"-{k:02d}"
        parts.append(part.iloc[:size])
    return _joined(parts, "shot_no").rename(columns=injection.HEADERS)


def strokes(rows: int) -> pd.DataFrame:
    parts = []
    for k, size in enumerate(_stretches(rows, STRETCH)):
        part, _ = press.strokes(np.random.default_rng(k), max(size, 1_000))
        part["lot_id"] = part["lot_id"] + f"-{k:02d}"
        parts.append(part.iloc[:size])
    return _joined(parts, "stroke_no").rename(columns=press.HEADERS)


def unjudged_strokes(rows: int) -> pd.DataFrame:
    return strokes(rows).drop(columns=press.HEADERS["die_event"])


def samples(rows: int) -> pd.DataFrame:
    parts = []
    for k, size in enumerate(_stretches(max(rows // SAMPLES, 12), MILL)):
        signals, labels, _ = cnc.runs(np.random.default_rng(k), max(size, 12))
        part = signals.merge(labels, on="run_id")
        for name in ("run_id", "tool_id"):
            part[name] = part[name] + f"-{k:02d}"
        parts.append(part)
    headers = {**cnc.HEADERS, **cnc.LABEL_HEADERS}
    return _later(parts).rename(columns=headers)


MAKERS: dict[str, Callable[[int], pd.DataFrame]] = {
    "quality-classification": shots,
    "die-breakage": strokes,
    "control-charts": unjudged_strokes,
    "tool-wear-rul": samples,
}


def _stretches(rows: int, most: int) -> list[int]:
    whole, rest = divmod(rows, most)
    return [most] * whole + [rest] * (rest > 0)


def _joined(parts: list[pd.DataFrame], serial: str) -> pd.DataFrame:
    frame = _later(parts)
    frame[serial] = np.arange(1_000_001, 1_000_001 + len(frame))
    return frame


def _later(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Each stretch on the working days after those of the one before."""
    for before, part in pairwise(parts):
        gap = before["ts"].max().normalize() - part["ts"].min().normalize()
        part["ts"] = part["ts"] + gap + pd.Timedelta(days=1)
    return pd.concat(parts, ignore_index=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("do", choices=["make", "run", "plain"])
    parser.add_argument("family")
    parser.add_argument("rows", type=int)
    parser.add_argument("home", type=Path)
    chosen = parser.parse_args()
    if chosen.do == "make":
        print(json.dumps(make(chosen.family, chosen.rows, chosen.home)))
    elif chosen.do == "run":
        print(json.dumps(run(chosen.family, chosen.home)))
    else:
        print(json.dumps(plain(chosen.home)))


def opened(home: Path) -> Company:
    return Company(tenant_at(home / "tenants" / "scale"))


def run(family: str, home: Path) -> dict[str, object]:
    """A whole run of the standard model: kernel, notebook, bundle and page."""
    record = opened(home).run(FAMILIES[family][0]).record
    if record.verdict is None or record.split is None:
        raise SystemExit(str(record.reason))
    return {
        "seconds": record.seconds,
        "cases": record.split.cases,
        "groups": record.split.groups,
        "method": record.method,
        "timings": record.timings,
        "samples": {k: v for k, v in record.notes.items() if k.startswith("sample_")},
        "metrics": {k: v.value for k, v in record.metrics.items()},
    }


def plain(home: Path) -> dict[str, object]:
    """What XGBoost alone takes: read the table, fit the same trees once, score all rows.

    No held-out groups, no candidates, no calibration, no interval, no reasons, no page.
    """
    import time

    import xgboost

    from kamp_lib.learning.candidates import ROUNDS, TREES

    began = time.perf_counter()
    data = opened(home).datasets()[0].to_pandas()
    target = next(c for c in ("pass_or_fail", "die_event", "tool_worn") if c in data)
    bad = data[target].astype(str).isin(["불량", "이상", "worn", "fail"]).to_numpy()
    numbers = data.select_dtypes("number").to_numpy(dtype=np.float32)
    matrix = xgboost.QuantileDMatrix(numbers, bad)
    trees = xgboost.train({**TREES, "nthread": 2}, matrix, ROUNDS)
    trees.predict(matrix)
    return {"seconds": time.perf_counter() - began, "bad": int(bad.sum())}


if __name__ == "__main__":
    main()
