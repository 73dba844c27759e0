"""Reading run bundles: one directory each, `run.json` first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic_core import from_json

from kamp_lib.errors import KampError
from kamp_lib.runs.plain import read_plain
from kamp_lib.runs.record import RunRecord
from kamp_lib.tenancy import Tenant

if TYPE_CHECKING:
    import pandas as pd

    from kamp_lib.learning import RiskModel

RUN_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[a-z0-9-]+")
LARGEST_RECORD = 8 * 2**20


@dataclass(frozen=True)
class Bundle:
    """One finished run on disk."""

    path: Path

    @cached_property
    def record(self) -> RunRecord:
        """The validated `run.json`.

        Raises
        ------
        KampError
            When it is missing or not what it should be.
        """
        file = self.path / "run.json"
        try:
            # a record that we wrote holds no NaN and no Infinity
            text = read_plain(self.path, file.name, LARGEST_RECORD)
            content = from_json(text, allow_inf_nan=False)
            return RunRecord.model_validate(content)
        except (OSError, ValueError) as error:
            raise KampError(
                f"분석 실행 기록을 읽을 수 없습니다: {file}",
                f"cannot read the record of the run: {file}",
            ) from error

    def table(self, name: str) -> pd.DataFrame:
        """The table `name`, or an empty frame when this run has none.

        Raises
        ------
        KampError
            When the file is damaged.
        """
        import pandas as pd
        from pyarrow import ArrowException

        file = self.path / "tables" / f"{_plain(name)}.parquet"
        if not file.is_file():
            return pd.DataFrame()
        try:
            return pd.read_parquet(file)
        except (ArrowException, OSError) as error:
            raise KampError(
                f"분석 결과의 표를 읽을 수 없습니다: {file}. 분석을 다시 실행하세요.",
                f"cannot read a table of the run: {file}. Run the analysis again.",
            ) from error

    @property
    def tables(self) -> list[str]:
        return sorted(file.stem for file in (self.path / "tables").glob("*.parquet"))

    def model(self) -> RiskModel | None:
        """The fitted model, or None when the run kept none."""
        folder = self.path / "model"
        if not (folder / "model.json").is_file():
            return None
        from kamp_lib.learning import load_model

        return load_model(folder)

    def image(self, name: str) -> bytes:
        """A picture of `figures/`."""
        return (self.path / "figures" / _plain(name)).read_bytes()

    def _repr_html_(self) -> str:
        from html import escape

        record = self.record
        verdict = str(record.verdict.sentence if record.verdict else record.reason)
        scores = "".join(
            f"<tr><td>{escape(name)}</td><td>{_shown(score.value)}</td>"
            f"<td>{_shown(score.low)} – {_shown(score.high)}</td></tr>"
            for name, score in record.metrics.items()
        )
        return (
            f"<b>{escape(str(record.model.name))}</b> · {escape(record.run)}"
            f"<p>{escape(verdict)}</p><table>{scores}</table>"
        )


def _plain(name: str) -> str:
    """`name` when it is a plain file name; a bundle may come from a hostile tenant."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise KampError(
            f"이 이름은 쓸 수 없습니다: {name!r}", f"not a plain name: {name!r}"
        )
    return name


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def list_runs(tenant: Tenant) -> list[Bundle]:
    """All finished runs of a company, newest first."""
    folders = [p for p in tenant.runs.glob("*") if RUN_ID.fullmatch(p.name)]
    newest_first = sorted(folders, key=lambda p: p.name, reverse=True)
    return [Bundle(p) for p in newest_first if (p / "run.json").is_file()]


def open_run(tenant: Tenant, run: str = "latest") -> Bundle:
    """The run with this id, the start of an id, or `latest`.

    Raises
    ------
    KampError
        When there is none, or more than one fits.
    """
    bundles = list_runs(tenant)
    if run == "latest":
        found = bundles[:1]
    else:
        found = [b for b in bundles if b.path.name == run] or [
            b for b in bundles if run and b.path.name.startswith(run)
        ]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(b.path.name for b in found[:5])
        raise KampError(
            f"'{run}'로 시작하는 분석 실행이 여럿입니다: {names}",
            f"more than one run starts with {run!r}: {names}",
        )
    raise KampError(
        f"'{tenant.slug}'에 분석 실행 '{run}'이(가) 없습니다. 목록: kamp runs {tenant.slug}",
        f"{tenant.slug!r} has no run {run!r}; list them: kamp runs {tenant.slug}",
    )
