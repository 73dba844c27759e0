"""Personal data of a file reach no byte of the company's folder, unless somebody asks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kamp_lib.datasets import Options, ingest, open_dataset
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant, add_tenant

NAMES = ["김민수", "이영희", "박서준", "최지우", "정하늘", "한도윤"]
PHONE = "010-1234-5678"
ROWS = 60


@pytest.fixture
def tenant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    monkeypatch.setenv("KAMP_HOME", str(tmp_path / "home"))
    return add_tenant("haneul-mold", "하늘몰드", equipment=["generic"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "시각": pd.date_range("2026-03-02 08:00", periods=ROWS, freq="min"),
            "작업자": [NAMES[i % len(NAMES)] for i in range(ROWS)],
            "온도": rng.normal(180, 2, ROWS).round(2).astype(str),
            "비고": ["" if i % 9 else f"연락처 {PHONE}" for i in range(ROWS)],
        }
    )
    frame.loc[7, "온도"] = "고장?"  # this row goes to quarantine, with its worker
    path = tmp_path / "shift.csv"
    frame.to_csv(path, index=False)
    return path


def stored_bytes(tenant: Tenant) -> dict[Path, bytes]:
    return {p: p.read_bytes() for p in tenant.home.rglob("*") if p.is_file()}


def told_in(content: bytes) -> list[str]:
    secrets = [*NAMES, PHONE]
    return [s for s in secrets if s.encode() in content or s.encode("cp949") in content]


def test_nothing_personal_is_written_anywhere(tenant, file):
    result = ingest(tenant, "generic", file)
    assert result.rows_quarantined == 1
    leaks = {p.name: told_in(c) for p, c in stored_bytes(tenant).items()}
    assert {name: told for name, told in leaks.items() if told} == {}
    data = open_dataset(tenant).to_pandas()
    quarantined = open_dataset(tenant).quarantine()
    for shown in (data.to_csv(), quarantined.to_csv(), result.model_dump_json()):
        assert told_in(shown.encode()) == []


def test_one_worker_has_one_pseudonym_this_month_and_the_next(tenant, file):
    ingest(tenant, "generic", file)
    later = pd.read_csv(file)
    later["시각"] = pd.to_datetime(later["시각"]) + pd.Timedelta(days=30)
    later.to_csv(file, index=False)
    ingest(tenant, "generic", file)
    data = open_dataset(tenant).to_pandas()
    assert data["작업자"].nunique() == len(NAMES)
    assert data["작업자"].str.fullmatch(r"작업자-[0-9a-f]{6}").all()


def test_another_company_gets_other_pseudonyms(tenant, file):
    other = add_tenant("narae", "나래", equipment=["generic"])
    both = []
    for company in (tenant, other):
        ingest(company, "generic", file)
        both.append(set(open_dataset(company).to_pandas()["작업자"]))
    assert not both[0] & both[1]


def test_a_finding_says_what_was_masked_and_shows_none_of_it(tenant, file):
    result = ingest(tenant, "generic", file)
    (found,) = [f for f in result.findings if f.code == "personal-data"]
    assert found.severity == "info"
    assert "작업자" in found.message_ko


def test_a_file_with_personal_data_can_be_refused(tenant, file):
    with pytest.raises(KampError, match="작업자") as refused:
        ingest(tenant, "generic", file, options=Options(personal="refuse"))
    assert told_in(str(refused.value).encode()) == []
    assert not (tenant.data / "generic").exists()


def test_who_asks_to_keep_them_is_warned(tenant, file):
    result = ingest(tenant, "generic", file, options=Options(personal="keep"))
    (found,) = [f for f in result.findings if f.code == "personal-data"]
    assert found.severity == "warning"
    assert set(open_dataset(tenant).to_pandas()["작업자"]) == set(NAMES)


def test_a_dry_run_writes_no_key(tenant, file):
    before = set(stored_bytes(tenant))
    ingest(tenant, "generic", file, dry_run=True)
    assert set(stored_bytes(tenant)) == before


def test_the_key_is_for_its_owner_only(tenant, file):
    ingest(tenant, "generic", file)
    (key,) = tenant.data.glob(".pseudonyms.key")
    assert key.stat().st_mode & 0o077 == 0


def test_a_planted_link_is_no_key(tenant, file, tmp_path):
    (tmp_path / "known").write_bytes(b"0" * 32)
    tenant.data.mkdir(exist_ok=True)
    (tenant.data / ".pseudonyms.key").symlink_to(tmp_path / "known")
    with pytest.raises(KampError, match="pseudonyms"):
        ingest(tenant, "generic", file)
