"""Wide tables to long, tag lists to tables: recognised, explained, and never forced."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamp_lib.datasets import Raw, ingest, open_dataset, read
from kamp_lib.datasets.options import Options
from kamp_lib.datasets.reading.periods import period_of, periods
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant

AS_IS, LONG, WIDE = (Options(layout=layout) for layout in ("as-is", "long", "wide"))


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def monthly(tmp_path: Path) -> Path:
    return written(
        tmp_path / "sales.csv",
        "Part,Name,Jan-98,Feb-98,Mar-98,Apr-98",
        "A1,bolt,0,2,,4",
        "B2,nut,5,6,7,8",
    )


@pytest.fixture
def historian(tmp_path: Path) -> Path:
    lines = ["시각,태그명,값,단위"]
    for second in range(20):
        stamp = f"2024-03-05 08:00:{second:02}"
        lines += [f"{stamp},TEMP,{200 + second},℃", f"{stamp},SPEED,{30 + second},rpm"]
    return written(tmp_path / "log.csv", *lines)


def cells(raw: Raw, *names: str) -> list[tuple[str, ...]]:
    return list(zip(*(raw.table[n].to_pylist() for n in names), strict=True))


def test_months_as_columns_become_records(monthly: Path) -> None:
    raw = read(monthly)
    assert raw.columns == ["Part", "Name", "period", "value"]
    assert cells(raw, "Part", "period", "value")[:4] == [
        ("A1", "1998-01-01", "0"),
        ("A1", "1998-02-01", "2"),
        ("A1", "1998-03-01", ""),
        ("A1", "1998-04-01", "4"),
    ]


def test_every_record_points_to_its_row_in_the_file(monthly: Path) -> None:
    assert read(monthly).table["_row"].to_pylist() == [2] * 4 + [3] * 4


def test_turning_is_told_and_blanks_are_not_zero(monthly: Path) -> None:
    found = next(f for f in read(monthly).findings if f.code == "wide-table")
    assert "2 rows became 8 records" in found.message_en
    assert "1 blanks mean no value" in found.message_en


def test_the_person_may_keep_the_shape(monthly: Path) -> None:
    raw = read(monthly, options=AS_IS)
    assert raw.table.num_rows == raw.rows_read == 2


def test_counts_are_those_of_the_turned_table(tenant: Tenant, monthly: Path) -> None:
    with open(monthly, "a", encoding="utf-8") as file:
        file.write("C3,pin,1,many,3,4\n")
    result = ingest(tenant, "generic", monthly)
    assert (result.rows_read, result.rows_stored, result.rows_quarantined) == (
        12,
        11,
        1,
    )
    quarantined = open_dataset(tenant, "generic").quarantine()
    assert quarantined["original"].tolist() == ["C3,pin,1,many,3,4"]


def test_a_series_over_months_has_no_doubtful_times(
    tenant: Tenant, tmp_path: Path
) -> None:
    months = [f"{year}-{month:02}" for year in (2022, 2023) for month in range(1, 13)]
    rows = [
        f"{part}," + ",".join(str(part % 7 + m % 5) for m in range(24))
        for part in range(100, 160)
    ]
    path = written(tmp_path / "a.csv", "품번," + ",".join(months), *rows)
    result = ingest(tenant, "generic", path)
    assert {f.code for f in result.findings if f.severity != "info"} == set()


def test_hours_of_a_day_stand_beside_its_date(tmp_path: Path) -> None:
    hours = ",".join(f"{hour}시" for hour in range(24))
    values = ",".join(map(str, range(24)))
    raw = read(written(tmp_path / "kwh.csv", f"날짜,{hours}", f"2024-03-05,{values}"))
    assert cells(raw, "period", "value")[9] == ("2024-03-05 09:00", "9")


def test_months_stand_beside_their_year(tmp_path: Path) -> None:
    lines = ["연도,품번,1월,2월,3월,4월", "2024,A,1,2,3,4"]
    raw = read(written(tmp_path / "a.csv", *lines))
    assert cells(raw, "period", "value")[1] == ("2024-02-01", "2")


def test_months_without_a_year_keep_their_names(tmp_path: Path) -> None:
    raw = read(written(tmp_path / "a.csv", "품번,1월,2월,3월,4월", "A,1,2,3,4"))
    assert raw.table["period"].to_pylist() == ["1월", "2월", "3월", "4월"]


def test_sensors_as_columns_stay_columns(tmp_path: Path) -> None:
    header = "time,temp_1,temp_2,temp_3,temp_4,temp_5"
    raw = read(written(tmp_path / "a.csv", header, "1,2,3,4,5,6", "2,3,4,5,6,7"))
    assert raw.table.num_rows == 2


def test_sensors_become_rows_when_asked(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv", "time,temp,speed", "08:00:01,2,3", "08:00:02,4,5"
    )
    raw = read(path, options=LONG)
    assert cells(raw, "time", "item", "value") == [
        ("08:00:01", "temp", "2"),
        ("08:00:01", "speed", "3"),
        ("08:00:02", "temp", "4"),
        ("08:00:02", "speed", "5"),
    ]


def test_a_historian_list_becomes_a_table(historian: Path) -> None:
    raw = read(historian)
    assert raw.columns == ["시각", "TEMP", "SPEED"]
    assert raw.rows_read == raw.table.num_rows == 20
    assert raw.units == {"TEMP": "℃", "SPEED": "rpm"}
    assert "long-table" in {f.code for f in raw.findings}


def test_a_list_is_kept_when_asked(historian: Path) -> None:
    assert read(historian, options=AS_IS).table.num_rows == 40


def test_a_value_noted_twice_has_a_row_of_its_own(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        "time,tag,value",
        "1,A,5",
        "1,B,6",
        "1,A,7",
        "2,A,8",
        "2,B,9",
    )
    raw = read(path)
    assert cells(raw, "time", "A", "B") == [
        ("1", "5", "6"),
        ("1", "7", None),
        ("2", "8", "9"),
    ]


def test_tags_of_times_of_their_own_stay_a_list(tmp_path: Path) -> None:
    rows = [f"{n},{'ABCD'[n % 4]},{n}" for n in range(40)]
    raw = read(written(tmp_path / "a.csv", "time,tag,value", *rows))
    assert raw.table.num_rows == 40
    assert [f.severity for f in raw.findings if f.code == "long-table"] == ["warning"]
    raw = read(tmp_path / "a.csv", options=WIDE)
    assert raw.columns == ["time", "A", "B", "C", "D"]


def test_nothing_to_turn_by_is_said(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "x,y", "1,2", "3,4")
    with pytest.raises(KampError, match="tag, value"):
        read(path, options=WIDE)


def test_lists_of_several_files_keep_their_files_apart(tmp_path: Path) -> None:
    for day in (1, 2):
        rows = [f"08:00:{n:02},{tag},{n + day}" for n in range(5) for tag in "AB"]
        written(tmp_path / f"day_{day}.csv", "time,tag,value", *rows)
    raw = read(tmp_path)
    assert [s.rows for s in raw.sources] == [5, 5]
    assert raw.table.num_rows == 10


MONTHS = [f"{year}년 {month}월" for year in (2023, 2024) for month in range(1, 13)]


@given(
    st.lists(
        st.lists(st.integers(0, 999), min_size=12, max_size=12), min_size=1, max_size=9
    ),
    st.integers(0, 12),
)
def test_turning_back_gives_the_same_cells(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[int]], start: int
) -> None:
    names = MONTHS[start : start + 12]
    lines = [f"P{n},{','.join(map(str, row))}" for n, row in enumerate(rows)]
    path = written(
        tmp_path_factory.mktemp("t") / "a.csv", "부품," + ",".join(names), *lines
    )
    long = read(path).table.to_pandas()
    assert len(long) == 12 * len(rows)
    back = long.pivot(index="부품", columns="period", values="value").astype(int)
    assert back.to_numpy().tolist() == rows


NAMES = {
    "Jan-98": "1998-01-01",
    "2024-03": "2024-03-01",
    "202403": "2024-03-01",
    "2024.3.5": "2024-03-05",
    "2024-03-05 00:00:00": "2024-03-05",
    "20240305": "2024-03-05",
    "24년 3월": "2024-03-01",
    "Mar 2024": "2024-03-01",
    "3월": "03-01",
    "08:00": "08:00",
    "24시": "24:00",
    "1분기": "1분기",
}


@pytest.mark.parametrize("name", NAMES)
def test_names_of_times_are_read(name: str) -> None:
    found = period_of(name)
    assert found is not None
    assert found.text == NAMES[name]


@pytest.mark.parametrize(
    "name", ["Temp_1", "2024-13", "marked", "1998", "T98", "part 3"]
)
def test_other_names_are_no_times(name: str) -> None:
    assert period_of(name) is None


def test_a_month_twice_makes_no_wide_table() -> None:
    assert not periods(["part", "Jan-98", "1998-01", "Feb-98", "Mar-98", "Apr-98"])
