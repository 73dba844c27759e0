"""Fixtures that more than one room's tests use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kamp_lib.tenancy import Tenant, add_tenant

ROOT = Path(__file__).resolve().parents[1]
REAL_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Tests see no KAMP_* of the machine and write to no KAMP_HOME but their own."""
    for name in [n for n in os.environ if n.startswith("KAMP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KAMP_HOME", str(tmp_path / "kamp"))


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    """An empty company."""
    return add_tenant("haneul-mold", "하늘몰드", "Haneul Mold", home=tmp_path / "kamp")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real factory files, which may not be redistributed."""
    if not REAL_DATA.is_dir():
        pytest.skip("real data (../shared/data) is not on this machine")
    return REAL_DATA
