from __future__ import annotations

import pandas as pd
import pytest
from datasets.small_machine import found, shots
from hypothesis import given
from hypothesis import strategies as st

from kamp_lib.datasets.privacy import Kind, Veil, masked, personal_columns

KEY = b"a company's own"
NAMES = ["김철수", "박영희", "이민호", "최지우", "정하늘", "남궁민수"]


def text(*values: str | None) -> pd.Series:
    return pd.Series(pd.array(values, "string"))


def kinds(**columns: pd.Series) -> list[tuple[str, str, int]]:
    return [
        (p.column, p.kind, p.count) for p in personal_columns(pd.DataFrame(columns))
    ]


def test_names_under_a_header_of_people_are_found():
    assert kinds(작업자=text(*NAMES, None)) == [("작업자", "name", 6)]
    assert kinds(operator=text("Nguyen Van An", "Kim C.")) == [("operator", "name", 2)]


def test_names_are_found_under_any_header_when_all_are_names():
    assert kinds(비고1=text(*NAMES)) == [("비고1", "name", 6)]


@pytest.mark.parametrize(
    "words",
    [
        ("정상품", "이상무", "고무판", "노즐부", "전극봉", "조립반"),
        ("좌측", "우측", "상부", "하부", "전면", "후면"),
        ("에어벤트", "하우징", "커버", "브라켓", "기어", "노브"),
    ],
)
def test_words_of_the_shop_floor_are_no_names(words: tuple[str, ...]):
    assert kinds(구분=text(*words)) == []


def test_codes_and_shifts_of_workers_are_not_personal():
    assert kinds(작업자=text("A조", "B조", "W01", "주간")) == []


@pytest.mark.parametrize(
    "value",
    ["010-1234-5678", "연락: 010 1234 5678 (급함)", "02-123-4567", "031)123-4567"],
)
def test_phone_numbers_are_found_anywhere_in_a_text(value: str):
    assert kinds(비고=text("정상", value)) == [("비고", "phone", 1)]


def test_phone_numbers_without_their_zero_are_found_under_their_header():
    assert kinds(연락처=pd.Series([1012345678, 1098765432])) == [("연락처", "phone", 2)]


@pytest.mark.parametrize(
    "value",
    ["2020-03-04 10:11:12", "010-12-34", "R2606-A01", "8801234567893", "1.23e-10"],
)
def test_times_lots_and_barcodes_are_not_personal(value: str):
    assert kinds(비고=text(value, value)) == []


def test_resident_numbers_are_known_by_date_or_check_digit():
    assert kinds(a=text("900101-1234568")) == [("a", "resident-number", 1)]
    assert kinds(a=text(*["9001011234568"] * 3, "8505052345679")) == []
    right = ["9001011234568", "8505051234563", "7712122345671"]
    valid = [r for r in right if kinds(주민번호=text(r))]
    assert len(valid) == 3


def test_addresses_are_found():
    assert kinds(note=text("보고: hong.gd@shop.co.kr")) == [("note", "email", 1)]


def test_a_name_gets_the_same_pseudonym_every_time_and_no_other():
    hidden = masked(text("김철수", "박영희", "김철수 ", None), "name", KEY)
    assert hidden[0] == hidden[2] != hidden[1]
    assert hidden[0].startswith("작업자-")
    assert pd.isna(hidden[3])
    assert masked(text("김철수"), "name", b"another key")[0] != hidden[0]


def test_text_around_a_number_stays():
    hidden = masked(text("연락 010-1234-5678 바람"), "phone", KEY)
    assert hidden[0] == "연락 ***-****-**** 바람"


@given(st.lists(st.sampled_from([*NAMES, "010-1234-5678", "900101-1234568", "a@b.kr"])))
def test_nothing_personal_is_left_after_masking(values: list[str]):
    frame = pd.DataFrame({"성명": text(*values)})
    for found_ in personal_columns(frame):
        frame[found_.column] = masked(frame[found_.column], found_.kind, KEY)
    assert personal_columns(frame) == []


@pytest.mark.parametrize("kind", ["name", "phone", "resident-number", "email"])
def test_masking_keeps_rows_gaps_and_index(kind: Kind):
    values = text("김철수", None, "x").set_axis([5, 6, 7])
    hidden = masked(values, kind, KEY)
    assert hidden.index.tolist() == [5, 6, 7]
    assert hidden.isna().tolist() == [False, True, False]


def test_the_finding_names_columns_and_no_person():
    frame = shots().assign(작업자=pd.array(NAMES[:4] * 100, "string"))
    personal = found(frame, "personal-data")
    assert personal[0].columns == ["작업자"]
    assert personal[0].count == 400
    assert not any(name in personal[0].model_dump_json() for name in NAMES)


def test_lines_beside_the_rows_are_veiled_with_the_same_pseudonyms():
    frame = pd.DataFrame({"작업자": text(*NAMES), "비고": text(*["010-1234-5678"] * 6)})
    found_ = personal_columns(frame)
    veil = Veil(frame, found_, KEY)
    line = veil("3,남궁민수,xx,010-9999-8888")
    hidden = masked(frame["작업자"], "name", KEY)
    assert line == f"3,{hidden[5]},xx,***-****-****"


def test_a_veil_over_nothing_personal_changes_nothing():
    assert (
        Veil(pd.DataFrame(), [], KEY)("010-1234-5678 김철수") == "010-1234-5678 김철수"
    )
