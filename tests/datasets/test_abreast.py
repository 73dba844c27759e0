"""What two threads make of a file is what one makes of it, in the same order."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from datasets.small_machine import MACHINE, samples, shots

from kamp_lib.datasets import abreast, checks, ingest, open_dataset
from kamp_lib.datasets.checks.context import Context
from kamp_lib.tenancy import add_tenant


def with_faults(rows: int = 600) -> pd.DataFrame:
    """Shots of which many checks have something to say."""
    frame = shots(rows)
    rng = np.random.default_rng(3)
    frame["barrel_temperature"] = frame["barrel_temperature"].where(
        rng.random(rows) > 0.02, -999.0
    )
    frame["injection_pressure"] = np.where(
        np.arange(rows) > rows / 2,
        frame["injection_pressure"] * 10.197,
        frame["injection_pressure"],
    )
    frame.loc[300:330, "mould_temperature"] = 55.0
    frame.loc[100:110, "ts"] = frame["ts"].iloc[50:61].to_numpy()
    frame.loc[400, "ts"] = pd.Timestamp("1999-01-01")
    frame["담당자 메일"] = [f"kim{n % 7}@example.com" for n in range(rows)]
    frame["등급"] = rng.choice(["End-1", "END1", "다른 것"], rows)
    frame["back_pressure_2"] = frame["back_pressure"] * 2
    return frame


def outcome(path: Path, home: Path) -> dict[str, Any]:
    tenant = add_tenant("acme", "가", home=home)
    result = ingest(tenant, "generic", path)
    data = open_dataset(tenant, result.dataset)
    made = data.state.manifests[0].model_dump(exclude={"id", "created"})
    rows = data.to_pandas()
    return {"made": made, "rows": rows.to_csv(), "types": [*map(str, rows.dtypes)]}


def test_a_file_gives_the_same_on_one_thread_and_on_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "shots.csv"
    frame = with_faults().drop(columns=["_file", "_row"])
    frame.astype({"cycle_time": str}).replace("nan", "-").to_csv(path, index=False)
    one = outcome(path, tmp_path / "one")
    monkeypatch.setattr(abreast, "FEW", 0)
    assert outcome(path, tmp_path / "two") == one
    assert len(one["made"]["findings"]) >= 8


@pytest.mark.parametrize("frame", [with_faults(), samples()], ids=["shots", "samples"])
def test_findings_come_in_the_same_order_on_two_threads(
    frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = "sample" if "run_id" in frame else "shot"
    one = checks.check(frame, MACHINE, kind)
    monkeypatch.setattr(abreast, "FEW", 0)
    for _ in range(5):
        assert checks.check(frame, MACHINE, kind) == one


class Guarded(Context):
    """A context that what one check may have changed must not be asked of."""

    def __getattribute__(self, name: str) -> Any:
        assert name not in (
            "numbers",
            "measured",
            "sensors",
            "ordered",
            "explained",
            "explained_by_product",
        ), name
        return super().__getattribute__(name)


@pytest.mark.parametrize(
    "look", sorted(checks.APART, key=lambda c: c.__name__), ids=lambda c: c.__name__
)
@pytest.mark.parametrize("frame", [with_faults(), samples()], ids=["shots", "samples"])
def test_checks_that_run_apart_ask_nothing_that_others_change(
    look: checks.Check, frame: pd.DataFrame
) -> None:
    context = Guarded(frame, MACHINE, "sample" if "run_id" in frame else "shot")
    look(context)


def test_the_first_error_in_order_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(name: str) -> str:
        raise ValueError(name)

    monkeypatch.setattr(abreast, "FEW", 0)
    with pytest.raises(ValueError, match="first"):
        abreast.each(fails, ["first", "second", "third"], rows=1)


def test_what_nobody_waits_for_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abreast, "FEW", 0)
    begun: list[int] = []
    going, on = threading.Event(), threading.Event()

    def work(number: int) -> None:
        begun.append(number)
        going.set()
        on.wait(10)

    def interrupted() -> None:
        with abreast.beside(rows=1) as start:
            for number in range(3):
                start(work, number)
            going.wait(10)
            threading.Timer(0.2, on.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert begun == [0]
