"""The verbs of versions and rows, as people and scripts meet them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from in_process import command

from kamp_lib import console
from kamp_lib.datasets import ingest
from kamp_lib.tenancy import Tenant

KIND = "generic"
Kamp = Callable[..., tuple[int, str, str]]


@pytest.fixture
def kamp(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tenant: Tenant
) -> Kamp:
    """Run `kamp datasets VERB haneul-mold generic …` in this process."""
    run = command(monkeypatch, capsys)
    monkeypatch.setattr(console.out, "width", 200)

    def call(verb: str, *rest: str) -> tuple[int, str, str]:
        said = run("datasets", verb, tenant.slug, KIND, *rest)
        return said.status, said.out, said.err

    return call


@pytest.fixture(autouse=True)
def _two_versions(tenant: Tenant, tmp_path: Path) -> None:
    for year in (2020, 2021):
        lines = [f"{year}-01-01 00:{i:02}:00,{i / 4 + 0.1}" for i in range(40)]
        lines[7] = lines[7].split(",")[0] + ",=1+1"
        path = tmp_path / f"{year}.csv"
        path.write_text("time,x\n" + "\n".join(lines) + "\n", encoding="utf-8")
        ingest(tenant, KIND, path)


def test_history_lists_the_versions(kamp: Kamp) -> None:
    _, out, _ = kamp("history", "--json")
    assert [(v["version"], v["rows"]) for v in json.loads(out)] == [(1, 39), (2, 78)]
    assert "2020.csv" in kamp("history")[1]


def test_diff_names_the_file_that_came(kamp: Kamp) -> None:
    assert "2021.csv" in kamp("diff", "1", "v2")[1]
    assert "the same" in kamp("diff", "2", "2")[1]


def test_restore_makes_a_new_version(kamp: Kamp) -> None:
    _, out, _ = kamp("restore", "1", "--json")
    assert json.loads(out) == {"dataset": KIND, "version": 3, "rows": 39}


def test_rejected_rows_go_out_and_come_back(kamp: Kamp, tmp_path: Path) -> None:
    file = tmp_path / "rejected.csv"
    assert "written" in kamp("quarantine", "--to", str(file))[1]
    text = file.read_text(encoding="utf-8-sig")
    assert ",'=1+1" in text
    file.write_text(text.replace(",'=1+1\n", ",1.5\n"), encoding="utf-8-sig")
    status, out, _ = kamp("repair", str(file))
    assert (status, "2 rows stored" in out) == (0, True)
    assert "no row is in quarantine" in kamp("quarantine")[1]


def test_trace_names_file_and_line(kamp: Kamp) -> None:
    _, out, _ = kamp("trace", "--row", "8", "--row", "40")
    assert "2020.csv line 10" in out
    assert "2021.csv line 2" in out


def test_retain_remembers_its_rule(kamp: Kamp) -> None:
    kamp("restore", "1")
    kamp("retain", "--keep-versions", "2", "--remember", "--dry-run")
    _, out, _ = kamp("retain", "--json")
    assert json.loads(out)[0]["given_up"] == [1]


@pytest.mark.parametrize(
    ("verb", "rest", "status"),
    [
        ("history", ["more"], 2),
        ("diff", ["1"], 2),
        ("diff", ["1", "x"], 2),
        ("diff", ["1", "9"], 2),
        ("restore", ["9"], 2),
        ("retain", [], 2),
        ("trace", ["--row", "999"], 2),
        ("repair", ["/nowhere.csv"], 1),
    ],
)
def test_what_cannot_be_is_one_sentence(
    kamp: Kamp, verb: str, rest: list[str], status: int
) -> None:
    code, _, err = kamp(verb, *rest)
    assert (code, err.strip().count("\n")) == (status, 0)


def test_diff_names_findings_by_title(
    kamp: Kamp, tenant: Tenant, tmp_path: Path
) -> None:
    path = tmp_path / "2022.csv"
    lines = [f"2022-01-01 00:{i:02}:00,{-999 if i % 5 else i}" for i in range(40)]
    path.write_text("time,x\n" + "\n".join(lines) + "\n", encoding="utf-8")
    ingest(tenant, KIND, path)
    told = kamp("diff", "2", "3")[1]
    assert "sentinel-value" not in told
    assert "Placeholder numbers among the values: x" in told
