"""The page of a data set as people meet it: hostile names, both languages, a phone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from kamp_lib import reports
from kamp_lib.datasets import SIMULATED, ingest, open_dataset
from kamp_lib.reports.dataset_html import DatasetPage
from kamp_lib.tenancy import add_tenant

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = '"><script>document.title="HACKED"</script>'


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> DatasetPage:
    home = tmp_path_factory.mktemp("home")
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            "시각": pd.date_range("2026-03-02", periods=300, freq="min").astype(str),
            "온도": rng.normal(180, 2, 300),
            HOSTILE: [HOSTILE, "b", "c"] * 100,
            **{f"아주 긴 이름을 가진 센서 {i}": rng.normal(size=300) for i in range(8)},
        }
    )
    path = home / "oven &lt;b&gt;.csv"
    frame.to_csv(path, index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KAMP_HOME", str(home))
        tenant = add_tenant("hanbit", "한빛", equipment=["generic"])
        ingest(tenant, "generic", path, simulated=True)
        return reports.dataset_page(open_dataset(tenant))


def test_names_and_values_of_a_file_are_text_and_never_markup(page):
    text = page.document("ko")
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_simulated_data_says_so(page):
    assert SIMULATED
    assert "모의(시뮬레이션) 데이터입니다" in page.html("ko")
    assert "Simulated data" in page.html("en")


def test_the_file_is_whole_and_asks_nobody_for_anything(page, tmp_path: Path):
    written = page.write(tmp_path / "oven.html", "ko").read_text(encoding="utf-8")
    assert written.startswith("<!DOCTYPE html>")
    assert "http://" not in written.replace("http://www.w3.org", "")
    assert "https://" not in written
    assert [p.name for p in tmp_path.iterdir()] == ["oven.html"]


@pytest.mark.e2e
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_the_screen(page, browser: Browser, tmp_path: Path, width: int):
    path = page.write(tmp_path / "oven.html", "ko")
    tab = browser.new_page(viewport={"width": width, "height": 844})
    tab.goto(path.as_uri())
    assert tab.title() == "generic"
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.get_by_text("쓸 수 있음").count() > 0
    tab.close()
