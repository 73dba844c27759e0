from __future__ import annotations

from pathlib import Path

import pytest
from datasets.small_machine import MACHINE, shots

from kamp_lib.datasets.mapping.file import load_mapping, save_mapping
from kamp_lib.datasets.mapping.propose import propose_mapping
from kamp_lib.errors import KampError


def test_a_saved_mapping_comes_back_as_it_was(tmp_path: Path):
    mapping, _ = propose_mapping(shots().assign(humidity=1.0), MACHINE)
    save_mapping(mapping, tmp_path / "m.yaml")
    assert load_mapping(tmp_path / "m.yaml") == mapping


def test_a_name_that_a_person_changed_is_set_by_hand(tmp_path: Path):
    path = tmp_path / "m.yaml"
    mapping, _ = propose_mapping(
        shots().rename(columns={"back_pressure": "P7"}), MACHINE
    )
    save_mapping(mapping, path)
    path.write_text(path.read_text().replace("name: P7", "name: back_pressure"))
    match = next(m for m in load_mapping(path).columns if m.source == "P7")
    assert (match.canonical, match.by_hand) == ("back_pressure", True)


def test_a_short_entry_written_by_hand_is_enough(tmp_path: Path):
    path = tmp_path / "m.yaml"
    path.write_text(
        "equipment: small\ncolumns:\n- {source: 압력, name: back_pressure}\n"
    )
    assert load_mapping(path).names() == {"압력": "back_pressure"}


@pytest.mark.parametrize(
    "text",
    [
        "columns: [",
        "just words",
        "columns:\n- {source: a}\n",
        "columns:\n- {source: a, name: x}\n- {source: b, name: x}\n",
    ],
)
def test_a_wrong_mapping_file_is_answered_with_one_sentence(tmp_path: Path, text: str):
    path = tmp_path / "m.yaml"
    path.write_text(text)
    with pytest.raises(KampError, match=r"m\.yaml"):
        load_mapping(path)
