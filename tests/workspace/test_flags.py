"""What the command line calls an option is a field on the page."""

from __future__ import annotations

import pytest

from kamp_lib.text import Text
from kamp_lib.workspace.flags import FIELDS, Spoken
from kamp_lib.workspace.words import words


def test_korean_particles_stay_with_the_word() -> None:
    said = Spoken(words("ko"))(Text("--dataset 으로 다른 이름에 저장하세요.", ""))
    assert said == "'데이터셋 이름'으로 다른 이름에 저장하세요."


def test_english_keeps_its_spaces() -> None:
    said = Spoken(words("en"))(Text("", "choose with --sheet NAME"))
    assert said == "choose with 'Sheet or table' NAME"


def test_other_options_stay_as_they_are() -> None:
    assert Spoken(words("ko"))(Text("--dry-run 으로", "")) == "--dry-run 으로"


@pytest.mark.parametrize("flag", FIELDS)
def test_every_field_has_a_name(flag: str) -> None:
    assert words("ko")(FIELDS[flag])
