"""What the mapping is not sure of: asked, kept under its own name, remembered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from datasets.small_machine import MACHINE, shots

from kamp_lib.datasets.mapping.file import load_mapping, save_mapping
from kamp_lib.datasets.mapping.propose import propose_mapping
from kamp_lib.datasets.types import ColumnMatch, Mapping
from kamp_lib.errors import KampError

DOUBTFUL = "cooler barrel temperature"


def doubtful():
    """Shots with one column that has a name too many."""
    return shots().rename(columns={"barrel_temperature": DOUBTFUL})


def match_of(mapping: Mapping, source: str = DOUBTFUL) -> ColumnMatch:
    return next(m for m in mapping.columns if m.source == source)


def test_a_doubtful_column_keeps_its_name_and_the_answer_is_told():
    mapping, findings = propose_mapping(doubtful(), MACHINE)
    match = match_of(mapping)
    assert (match.canonical, match.maybe) == (None, "barrel_temperature")
    assert [f.code for f in findings] == ["mapping-unsure"]
    line = f"{{source: {DOUBTFUL}, name: barrel_temperature}}"
    assert line in findings[0].action_ko


def test_the_least_confidence_can_be_set():
    mapping, findings = propose_mapping(doubtful(), MACHINE, sure=0.5)
    assert match_of(mapping).canonical == "barrel_temperature"
    assert findings == []


@pytest.mark.parametrize(
    ("answer", "stored"),
    [
        ("barrel_temperature", "barrel_temperature"),
        (DOUBTFUL, DOUBTFUL),
        ("barrel_temperature_rear", "barrel_temperature_rear"),
    ],
)
def test_an_answer_settles_it(answer: str, stored: str):
    def ask(match: ColumnMatch, names: Sequence[str]) -> str:
        assert match.maybe in names
        return answer

    mapping, findings = propose_mapping(doubtful(), MACHINE, ask=ask)
    assert mapping.names()[DOUBTFUL] == stored
    assert match_of(mapping).by_hand
    assert findings == []


def test_an_open_question_is_asked_again_next_time(tmp_path: Path):
    mapping, _ = propose_mapping(doubtful(), MACHINE)
    save_mapping(mapping, tmp_path / "m.yaml")
    assert load_mapping(tmp_path / "m.yaml") == mapping
    again, findings = propose_mapping(doubtful(), MACHINE, remembered=mapping)
    assert match_of(again).maybe == "barrel_temperature"
    assert [f.code for f in findings] == ["mapping-unsure"]


def test_the_line_of_the_finding_answers_the_question(tmp_path: Path):
    path = tmp_path / "m.yaml"
    mapping, _ = propose_mapping(doubtful(), MACHINE)
    save_mapping(mapping, path)
    path.write_text(
        path.read_text().replace(f"name: {DOUBTFUL}", "name: barrel_temperature")
    )
    settled, findings = propose_mapping(
        doubtful(), MACHINE, remembered=load_mapping(path)
    )
    assert settled.names()[DOUBTFUL] == "barrel_temperature"
    assert findings == []


def test_a_question_that_was_struck_out_is_not_asked_again(tmp_path: Path):
    path = tmp_path / "m.yaml"
    save_mapping(propose_mapping(doubtful(), MACHINE)[0], path)
    text = path.read_text().replace("  maybe: barrel_temperature\n", "")
    path.write_text(text)
    settled, findings = propose_mapping(
        doubtful(), MACHINE, remembered=load_mapping(path)
    )
    assert settled.names()[DOUBTFUL] == DOUBTFUL
    assert findings == []


def test_next_months_file_with_one_more_column_uses_what_was_settled():
    frame = shots().rename(columns={"back_pressure": "P7"})
    first, _ = propose_mapping(frame, MACHINE)
    first.columns = [
        m.answered("back_pressure") if m.source == "P7" else m for m in first.columns
    ]
    names = propose_mapping(frame.assign(humidity=40.0), MACHINE, remembered=first)[
        0
    ].names()
    assert (names["P7"], names["humidity"]) == ("back_pressure", "humidity")


def test_a_header_that_was_mended_is_not_corrected_a_second_time():
    """What was remembered of a shifted header contradicts the values of a right one."""
    right = shots().drop(columns=["_file", "_row"])
    names = list(right.columns)
    wrong = right.set_axis([*names[:3], "lost", *names[3:-1]], axis="columns")
    first, found = propose_mapping(wrong, MACHINE)
    assert [f.code for f in found] == ["shifted-columns"]
    mapping, findings = propose_mapping(right, MACHINE, remembered=first)
    assert findings == []
    assert all(mapping.names()[name] == name for name in names)


def test_a_mapping_of_another_equipment_is_refused(tmp_path: Path):
    path = tmp_path / "m.yaml"
    save_mapping(propose_mapping(shots(), MACHINE)[0], path)
    with pytest.raises(KampError, match=r"m\.yaml.*small"):
        load_mapping(path, "press")
