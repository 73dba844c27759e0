"""Companies and servers for the tests of the workspace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from workspace.lab_server import HOSTILE, Lab, running

from kamp_lib.tenancy import Tenant, add_tenant


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab of a company with an injection moulding machine and no data."""
    folder = tmp_path_factory.mktemp("lab")
    tenant = add_tenant(
        "haneul-mold",
        f"하늘 {HOSTILE}",
        "Haneul",
        equipment=("injection-moulding",),
        home=folder / "kamp",
    )
    with running(tenant, folder) as started:
        yield started


@pytest.fixture
def company(tmp_path: Path) -> Tenant:
    """A company with an injection moulding machine."""
    home = tmp_path / "kamp"
    machines = ("injection-moulding",)
    return add_tenant("haneul-mold", "하늘몰드", equipment=machines, home=home)


@pytest.fixture(scope="session")
def shots() -> Callable[..., bytes]:
    """A small file of shots, with a bad value, a total and a doubtful column."""

    def made(rows: int = 60, *, note: str = "") -> bytes:
        lines = ["생산일시,설비,사이클타임(s),보압(kgf/cm2),실린더온도1,양불판정,비고"]
        for i in range(rows):
            time = f"2026-03-{2 + i // 30:02} 08:{i % 30:02}:{7 * i % 60:02}"
            heat = 9999 if i % 20 == 7 else 208 + i % 5
            bad = "불량" if i % 11 == 3 else "양품"
            cells = [time, "#1", f"{31 + i % 7 / 10:.1f}", str(600 + i % 9), str(heat)]
            lines.append(",".join([*cells, bad, note if i == 0 else ""]))
        return "\n".join([*lines, "합계,,,,,,"]).encode("cp949")

    return made
