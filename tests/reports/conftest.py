# ruff: noqa: C408
"""Plausible bundles of the three families, made by simulating their tables."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kamp_lib import reports
from kamp_lib.datasets.types import Finding, Quality, StoredColumn
from kamp_lib.learning.outcome import Money, Reason, Score, Split, Verdict
from kamp_lib.runs import Bundle, DatasetRef, ModelRef, RunRecord
from kamp_lib.tenancy import Tenant, add_tenant
from kamp_lib.text import Text

HOSTILE = '"><script>document.title="HACKED"</script><img src=x onerror=document.title="HACKED">'
START = datetime(2026, 11, 2, 0, 0, tzinfo=UTC)
COLUMNS = [
    ("holding_pressure", "보압", "Holding pressure", "MPa", 70.0, 2.0, True),
    ("melt_temperature", "수지 온도", "Melt temperature", "°C", 231.0, 3.0, True),
    ("injection_time", "사출 시간", "Injection time", "s", 2.1, 0.08, True),
    ("cycle_time", "사이클 시간", "Cycle time", "s", 42.0, 1.2, False),
]
WORDS = {
    "quality-classification": (
        Text("사출성형 양불 판정", "Injection quality"),
        "injection-quality",
        Text("샷", "shot"),
        Text("불량", "defects"),
        Text("양품", "good parts"),
        "day",
    ),
    "tool-wear-rul": (
        Text("CNC 공구마모·가공품질 판정", "CNC tool condition"),
        "cnc-machining-quality",
        Text("가공 회차", "run"),
        Text("마모", "worn tools"),
        Text("정상", "sound tools"),
        "run_id",
    ),
    "vision-inspection": (
        Text("머신비전 표면 검사", "Surface inspection"),
        "machine-vision-surface",
        Text("사진", "picture"),
        Text("불량", "defects"),
        Text("양품", "good parts"),
        "lot_id",
    ),
}


class LinearRisk:
    """A model whose answer a test can work out: risk falls as pressure rises."""

    def risk(self, frame: pd.DataFrame) -> np.ndarray:
        z = -4.0 - 0.5 * (frame["holding_pressure"].to_numpy(float) - 70.0)
        return 1 / (1 + np.exp(-z))


def make_bundle(
    folder: Path,
    family: str = "quality-classification",
    *,
    verdict: str = "usable",
    labelled: bool = True,
    failed: bool = False,
    simulated: bool = True,
    text: str = "",
    tenant: str = "hanbit",
) -> Bundle:
    """A bundle as a run would leave it; `text` is put into every name and reason."""
    folder.mkdir(parents=True)
    tables = {} if failed else _tables(family, labelled, text)
    record = _record(folder.name, family, verdict, labelled, failed, simulated, text)
    record = record.model_copy(update={"tenant": tenant})
    if not failed:
        record = record.model_copy(update=_scores(tables, labelled))
    (folder / "tables").mkdir()
    for name, frame in tables.items():
        frame.to_parquet(folder / "tables" / f"{name}.parquet", index=False)
    (folder / "run.json").write_text(record.model_dump_json(), encoding="utf-8")
    (folder / "analysis.ipynb").write_text('{"cells": []}', encoding="utf-8")
    if family == "vision-inspection" and not failed:
        _pictures(folder / "figures", tables["cases"])
    reports.write_first_paint(folder)
    return Bundle(folder)


def _record(
    run: str,
    family: str,
    verdict: str,
    labelled: bool,
    failed: bool,
    simulated: bool,
    text: str,
) -> RunRecord:
    name, model, case, bad, good, by = WORDS[family]
    cases = 400
    dataset = DatasetRef(
        name="injection" + text,
        version=3,
        fingerprint="9f2c" * 16,
        rows=cases,
        equipment="injection-moulding",
        record_kind="shot",
        simulated=simulated,
        quality=Quality(
            score=91,
            completeness=99,
            validity=95,
            uniqueness=88,
            consistency=90,
            timeliness=83,
        ),
        findings=[
            Finding(
                code="dead-column",
                severity="warning",
                columns=["x"],
                count=1,
                message_ko="열 '금형온도_11'의 값이 한 번도 변하지 않습니다." + text,
                message_en="Column 'mold_temp_11' never changes." + text,
                why_ko="센서가 끊겼을 수 있습니다.",
                why_en="The sensor may be unplugged.",
                action_ko="배선을 확인하세요.",
                action_en="Check the wiring.",
            ),
            Finding(
                code="duplicate-rows",
                severity="info",
                count=12,
                message_ko="똑같은 행 12개를 한 번만 남겼습니다.",
                message_en="12 identical rows were kept once.",
            ),
        ],
        columns=[
            StoredColumn(name=c, source=c, ko=ko + text, en=en + text, unit=unit)
            for c, ko, en, unit, *_ in COLUMNS
        ],
        first_time=START,
        last_time=START + timedelta(days=8),
        files=["라인1_2026-11.csv" + text, "라인2_2026-11.csv"],
    )
    sentence = Text(
        "처음 보는 날에도 불량의 절반 이상을 찾아 지금 써 볼 수 있습니다." + text,
        "It finds more than half of the defects even on days it has not seen." + text,
    )
    if verdict != "usable":
        sentence = Text(
            "불량이 너무 적어 아직 믿고 쓸 수 없습니다." + text,
            "There are too few defects to rely on it yet." + text,
        )
    reasons = [
        Reason(
            code="few-positives",
            message_ko="불량이 나온 날이 사흘뿐입니다.",
            message_en="Defects occurred on three days only.",
        )
    ]
    return RunRecord(
        run=run,
        status="failed" if failed else "succeeded",
        reason=Text(
            "판정 열 'pass_or_fail'에 값이 하나뿐입니다." + text,
            "The target 'pass_or_fail' holds one value only." + text,
        )
        if failed
        else None,
        tenant="hanbit",
        tenant_name=Text(
            "한빛정밀(가상)" + text, "Hanbit Precision (fictional)" + text
        ),
        time_zone="Asia/Seoul",
        model=ModelRef(
            id=model,
            version="1.0.0",
            name=Text(name.ko + text, name.en + text),
            family=family,
            equipment="injection-moulding",
            decision=Text(
                "어느 샷을 다시 검사할지 정합니다.", "Which shots to inspect again."
            ),
            case=case,
            bad=bad,
            good=good,
        ),
        dataset=dataset,
        parameters={
            "target": "pass_or_fail",
            "cost_missed": 50000.0,
            "cost_false_alarm": 2000.0,
            "seed": 0,
        },
        edited=["cost_missed"],
        split=None
        if failed
        else Split(
            kind="grouped" if labelled else "none",
            by=by,
            how=Text(
                "날짜를 통째로 빼고 시험했습니다.", "Whole days were held out in turn."
            ),
            folds=6,
            groups=8,
            rows=cases,
            cases=cases,
            positives=24 if labelled else 0,
            case=case,
        ),
        method="mahalanobis",
        method_name=Text("양품 기준 거리", "Distance from good parts"),
        baseline_name=Text("모두 같은 위험으로 보기", "The same risk for all"),
        verdict=None
        if failed
        else Verdict(
            value=verdict,  # type: ignore[arg-type]
            sentence=sentence,
            reasons=[] if verdict == "usable" else reasons,
            collect=[]
            if verdict == "usable"
            else [Text("불량이 나온 날을 5일 더", "Five more days with defects")],
        ),
        money=Money(
            cases_per_month=20000,
            cases_per_month_is_assumption=False,
            cost_missed=50000,
            cost_false_alarm=2000,
            prices_are_assumption=True,
            base_rate=0.06,
        )
        if labelled and not failed
        else None,
        seconds=23.4,
        timings={"Load": 0.8, "Fit": 12.0},
        libraries={"numpy": "2.4.0", "xgboost-cpu": "3.2.0"},
        started=START + timedelta(days=9),
        finished=START + timedelta(days=9, seconds=23),
    )


def _tables(family: str, labelled: bool, text: str) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(7)
    n = 400
    label = np.zeros(n)
    label[rng.choice(n, 24, replace=False)] = 1
    score = 1 / (1 + np.exp(-(rng.normal(-3.2, 1.0, n) + 2.6 * label)))
    days = np.repeat(np.arange(8), n // 8)
    time = [START + timedelta(days=int(d), minutes=3 * i) for i, d in enumerate(days)]
    noun = {"tool-wear-rul": "R", "vision-inspection": "IMG-"}.get(family, "shot-")
    cases = pd.DataFrame(
        {
            "case": [f"{noun}{i:04d}{text}" for i in range(n)],
            "time": pd.to_datetime(pd.Series(time), utc=True),
            "group": [f"2026-11-{2 + d:02d}" for d in days],
            "label": label if labelled else np.full(n, np.nan),
            "score": score,
            "reason_ko": "보압 62 MPa (평소 67–73)" + text,
            "reason_en": "Holding pressure 62 MPa (usual 67–73)" + text,
        }
    )
    if family == "vision-inspection":
        top = cases["score"].rank(ascending=False) <= 12
        cases["image"] = [f"img-{i}.png" if t else None for i, t in enumerate(top)]
        cases["heatmap"] = [f"heat-{i}.png" if t else None for i, t in enumerate(top)]
    ranges = pd.DataFrame(
        [
            dict(
                column=c, ko=ko + text, en=en + text, unit=unit, low=m - 1.6 * s,
                high=m + 1.6 * s, min=m - 4 * s, max=m + 4 * s, typical=m,
                step=s / 10, controllable=ctl,
            )
            for c, ko, en, unit, m, s, ctl in COLUMNS
        ]
    )  # fmt: skip
    causes = pd.DataFrame(
        [
            dict(
                column=c, ko=ko + text, en=en + text, unit=unit, share=share,
                direction="lower", usual_low=m - 1.6 * s, usual_high=m + 1.6 * s,
                bad_median=m - 3 * s, controllable=ctl,
                sentence_ko=f"{ko} 값이 평소보다 낮을 때 불량이 많았습니다." + text,
                sentence_en=f"Defects were more frequent when {en.lower()} was low.",
            )
            for (c, ko, en, unit, m, s, ctl), share in zip(
                COLUMNS, (0.46, 0.27, 0.15, 0.07), strict=True
            )
        ]
    )  # fmt: skip
    tables = {"cases": cases, "causes": causes, "ranges": ranges}
    if not labelled:
        value = rng.gamma(2.0, 2.0, 3000)
        tables["control_chart"] = pd.concat(
            pd.DataFrame(
                {
                    "case": [str(i) for i in range(3000)],
                    "statistic": s,
                    "value": value * k,
                    "limit": 14.0 * k,
                    "out": value > 14.0,
                }
            )
            for s, k in (("T2", 1.0), ("Q", 0.4), ("holding_pressure", 5.0))
        )
        return tables
    return tables | _labelled_tables(cases)


def _labelled_tables(cases: pd.DataFrame) -> dict[str, pd.DataFrame]:
    label, score = cases["label"].to_numpy(), cases["score"].to_numpy()
    cuts = np.quantile(score, np.linspace(0, 1, 200))
    thresholds = pd.DataFrame(
        [
            dict(
                threshold=t,
                flagged=int((score >= t).sum()),
                missed=int(((score < t) & (label == 1)).sum()),
                false_alarms=int(((score >= t) & (label == 0)).sum()),
                true_alarms=int(((score >= t) & (label == 1)).sum()),
            )
            for t in cuts
        ]
    )
    at = cuts[180]
    groups = cases.groupby("group").apply(
        lambda g: pd.Series(
            {
                "first_time": g["time"].min(),
                "cases": len(g),
                "positives": int(g["label"].sum()),
                "average_precision": 0.3 + 0.05 * g["label"].sum(),
                "roc_auc": 0.8,
                "baseline": g["label"].mean(),
                "missed": int(((g["score"] < at) & (g["label"] == 1)).sum()),
                "false_alarms": int(((g["score"] >= at) & (g["label"] == 0)).sum()),
            }
        ),
        include_groups=False,
    )
    edges = np.linspace(0.05, 0.75, 6)
    return {
        "thresholds": thresholds,
        "groups": groups.reset_index(),
        "calibration": pd.DataFrame(
            {
                "predicted": edges,
                "observed": edges * 0.9,
                "low": edges * 0.6,
                "high": np.minimum(edges * 1.3, 1),
                "count": 60,
            }
        ),
        "candidates": pd.DataFrame(
            [
                dict(
                    candidate=c, ko=ko, en=en, group=g, average_precision=ap, chosen=ch
                )
                for c, ko, en, ap, ch in (
                    ("mahalanobis", "양품 기준 거리", "Mahalanobis", 0.42, True),
                    ("xgboost", "XGBoost", "XGBoost", 0.11, False),
                )
                for g in ("all", "2026-11-02", "2026-11-03")
            ]
        ),
    }


def _scores(tables: dict[str, pd.DataFrame], labelled: bool) -> dict[str, Any]:
    if not labelled:
        return {"threshold": 0.6}
    return {
        "threshold": float(tables["thresholds"]["threshold"].iloc[180]),
        "metrics": {
            "average_precision": Score(value=0.42, low=0.3, high=0.55),
            "roc_auc": Score(value=0.86, low=0.78, high=0.92),
        },
        "baseline": {"average_precision": Score(value=0.06)},
        "shuffled": {"average_precision": Score(value=0.56)},
        "forward": {"average_precision": Score(value=0.37)},
    }


def _pictures(folder: Path, cases: pd.DataFrame) -> None:
    from PIL import Image

    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(1)
    for name in [*cases["image"].dropna(), *cases["heatmap"].dropna()]:
        y, x = np.mgrid[0:96, 0:96]
        grey = 120 + 30 * np.sin(x / 9) + rng.normal(0, 6, (96, 96))
        spot = np.exp(-((x - 60) ** 2 + (y - 40) ** 2) / 120)
        pixels = np.stack([grey - 60 * spot] * 3, axis=-1)
        if name.startswith("heat"):
            pixels[..., 0] += 200 * spot
        out = io.BytesIO()
        Image.fromarray(pixels.clip(0, 255).astype("uint8")).save(out, "PNG")
        (folder / name).write_bytes(out.getvalue())


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a bundle once per session and hand out copies of it."""
    made: dict[str, Path] = {}

    def copy(to: Path, family: str = "quality-classification", **options: Any) -> Path:
        key = json.dumps([family, options], sort_keys=True)
        if key not in made:
            folder = tmp_path_factory.mktemp("bundle") / to.name
            make_bundle(folder, family, **options)
            made[key] = folder
        shutil.copytree(made[key], to)
        record = json.loads((to / "run.json").read_text(encoding="utf-8"))
        record["run"] = to.name
        if to.parent.name == "runs":
            record["tenant"] = to.parent.parent.name
        (to / "run.json").write_text(json.dumps(record), encoding="utf-8")
        return to

    return copy


@pytest.fixture
def bundle(bundles: Callable[..., Path], tmp_path: Path) -> Bundle:
    """A usable result of a quality classification."""
    return Bundle(bundles(tmp_path / "20261121-010203-injection-quality-ab12cd"))


@pytest.fixture
def linear_risk() -> LinearRisk:
    return LinearRisk()


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    return add_tenant("hanbit", "한빛정밀(가상)", "Hanbit", home=tmp_path / "home")


@dataclass(frozen=True)
class Served:
    """A page server in a process of its own, and what it serves."""

    url: str
    home: Path
    pid: int

    def address(self, slug: str, run: str, lang: str = "ko") -> str:
        return f"{self.url}/report/{slug}/{run}?lang={lang}"


RUNS = {
    "hanbit": ("quality-classification", {}),
    "dasan": ("tool-wear-rul", {"verdict": "not-usable-yet"}),
    "saebit": ("vision-inspection", {}),
    "daeil": (
        "quality-classification",
        {"labelled": False, "verdict": "not-usable-yet"},
    ),
    "doraji": ("vision-inspection", {"text": HOSTILE}),
    "nuri": ("quality-classification", {"failed": True}),
}


def run_of(slug: str) -> str:
    return f"20261121-010203-{WORDS[RUNS[slug][0]][1]}-ab12cd"


@pytest.fixture(scope="session")
def served(
    bundles: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
    page_server: Callable[[Path], Any],
) -> Iterator[Served]:
    """Six companies' reports, served as `kamp pages` serves them."""
    home = tmp_path_factory.mktemp("served")
    for slug, (family, options) in RUNS.items():
        company = add_tenant(slug, "한빛정밀(가상)", "Hanbit", home=home)
        bundles(company.runs / run_of(slug), family, **options)
        folder = reports.publish(company, run_of(slug))
        _give_model(folder / "report.ipynb", slow=slug == "dasan")
    with page_server(home) as server:
        yield Served(server.url, home, server.pid)


def _give_model(report: Path, *, slow: bool) -> None:
    """Let the page's kernel hold a model whose answer a test can work out.

    A slow page takes its time, and its first view is seen meanwhile.
    """
    notebook = json.loads(report.read_text(encoding="utf-8"))
    first = notebook["cells"][0]
    patch = {
        **first,
        "id": "model",
        "source": f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from conftest import LinearRisk\nfrom kamp_lib.runs import Bundle\n"
        "Bundle.model = lambda self: LinearRisk()"
        + ("\nimport time; time.sleep(1.5)" if slow else ""),
    }
    notebook["cells"] = [patch, *notebook["cells"]]
    report.write_text(json.dumps(notebook), encoding="utf-8")
