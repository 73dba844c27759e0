"""What a look found, in the order of the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kamp_lib.datasets import Options, ingest
from kamp_lib.tenancy import Tenant
from kamp_lib.workspace.intake import Look, look, unit_choices

FIX = {"sentinel-value": {"ko": "빈칸으로", "en": "to gaps"}}


def seen(company: Tenant, tmp_path: Path, content: bytes, *fixes: str) -> Look:
    file = tmp_path / "shots.csv"
    file.write_bytes(content)
    result = ingest(
        company,
        "injection-moulding",
        file,
        dry_run=True,
        options=Options(fixes=tuple(fixes)),
    )
    return look({**result.model_dump(mode="json"), "fixable": FIX, "locked": False})


def test_every_column_of_the_file_is_shown_once(
    company: Tenant, tmp_path: Path, shots: Any
) -> None:
    found = seen(company, tmp_path, shots())
    shown = [row.match.source for row in found.rows + found.doubtful]
    assert sorted(shown) == sorted(found.result.mapping.names())
    assert found.known == sum(row.standard is not None for row in found.rows)


def test_a_column_shows_its_first_different_values(
    company: Tenant, tmp_path: Path, shots: Any
) -> None:
    found = seen(company, tmp_path, shots())
    values = {row.match.source: row.values for row in found.rows}
    assert values["설비"] == ("#1",)
    assert values["비고"] == ()


def test_what_is_grave_comes_first_and_can_be_mended(
    company: Tenant, tmp_path: Path, shots: Any
) -> None:
    found = seen(company, tmp_path, shots())
    assert all(s.finding.severity != "info" for s in found.grave)
    assert all(s.finding.severity == "info" for s in found.light)
    (placeholder,) = [s for s in found.grave if s.finding.code == "sentinel-value"]
    assert placeholder.fix is not None
    assert placeholder.mended is None


def test_what_was_mended_is_still_said(
    company: Tenant, tmp_path: Path, shots: Any
) -> None:
    found = seen(company, tmp_path, shots(), "sentinel-value")
    (placeholder,) = [s for s in found.grave if s.finding.code == "sentinel-value"]
    assert placeholder.mended == 3


def test_doubtful_columns_stand_apart_with_what_they_may_be(
    company: Tenant, tmp_path: Path, shots: Any
) -> None:
    content = shots().decode("cp949").replace("보압(kgf/cm2)", "P3").encode("cp949")
    found = seen(company, tmp_path, content)
    for row in found.doubtful:
        assert row.kept
        assert row.maybe is not None


def test_units_are_offered_as_people_write_them() -> None:
    assert {"°C", "kgf/cm²", "mm"} <= set(unit_choices())


@pytest.mark.parametrize("garbage", [{}, {"tenant": "x"}])
def test_what_is_no_result_is_not_shown_as_one(garbage: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="IngestResult"):
        look(garbage)
