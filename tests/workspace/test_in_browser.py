"""The start page in a real JupyterLab in a real Chromium, on a desk and on a phone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from workspace.lab_server import TOKEN, Lab

from kamp_lib.datasets import ingest
from kamp_lib.runs import list_runs
from kamp_lib.testbed import simulate

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e
MACHINE = "injection-moulding"
DESK = {"width": 1400, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh browser; a script that a hostile name brought in fails the test."""
    context = browser.new_context(viewport=DESK)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(90_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    assert page.evaluate("window.pwned") is None
    context.close()
    assert errors == []


def opened(page: Page, lab: Lab) -> Page:
    page.goto(f"{lab.url}/lab?token={TOKEN}")
    page.wait_for_selector(".kamp-start .models")
    return page


def tabs(page: Page) -> list[str]:
    labels = page.locator(".lm-DockPanel .lm-TabBar-tabLabel")
    return labels.all_inner_texts()


def choose(page: Page, folder: Path, name: str, content: bytes) -> None:
    file = folder / name
    file.write_bytes(content)
    page.set_input_files('[data-pick="files"]', file)


@pytest.fixture(scope="module")
def stocked(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """The same server, with simulated data that an analysis can learn from."""
    folder = tmp_path_factory.mktemp("raw")
    raw = simulate("injection-quality", folder, seed=1, size="fast")
    ingest(lab.tenant, MACHINE, raw.files, dataset="simulated", simulated=True)
    return lab


def test_jupyterlab_opens_on_the_start_page_in_korean(page: Page, lab: Lab) -> None:
    opened(page, lab)
    assert tabs(page) == ["시작"]
    assert page.locator(".lm-MenuBar-itemLabel").first.inner_text() == "파일"
    page.reload()
    page.wait_for_selector(".kamp-start .models")
    assert tabs(page) == ["시작"]


def test_the_name_of_a_company_is_only_a_word(page: Page, lab: Lab) -> None:
    opened(page, lab)
    assert "<script>" in page.locator(".kamp-start h1").inner_text()
    assert page.locator(".kamp-start h1 img").count() == 0


def test_the_news_are_not_asked_for(page: Page, lab: Lab) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    opened(page, lab)
    page.wait_for_timeout(2000)
    assert not [url for url in asked if "/news" in url or "/update" in url]
    assert not [url for url in asked if not url.startswith(lab.url)]
    assert page.locator(".Toastify__toast").count() == 0


def test_an_empty_jupyterlab_shows_the_start_page_again(page: Page, lab: Lab) -> None:
    opened(page, lab)
    page.locator(".lm-TabBar-tabCloseIcon").first.click()
    page.wait_for_selector(".kamp-start .models")
    assert tabs(page) == ["시작"]


@pytest.mark.long
def test_a_notebook_opens_beside_it(page: Page, lab: Lab) -> None:
    opened(page, lab)
    page.click('[data-act="open"] >> text=처음 시작하기')
    page.wait_for_selector(".jp-Notebook")
    assert "시작" in tabs(page)
    assert any("처음 시작하기" in label for label in tabs(page))


@pytest.mark.long
def test_the_launcher_has_a_card_of_it(page: Page, lab: Lab) -> None:
    opened(page, lab)
    page.click(".lm-TabBar-addButton:visible")
    card = page.locator(".jp-LauncherCard", has_text="시작")
    card.first.click()
    page.wait_for_selector(".kamp-start:visible .models")


def test_english_is_a_click_away_and_remembered(page: Page, lab: Lab) -> None:
    opened(page, lab)
    page.click('[data-act="language"]')
    page.wait_for_selector("text=My data sets")
    assert tabs(page) == ["Start"]
    page.reload()
    page.wait_for_selector("text=My data sets")
    page.click('[data-act="language"]')
    page.wait_for_selector("text=내 데이터셋")


def test_a_file_goes_in_is_corrected_and_stored(
    page: Page, lab: Lab, tmp_path: Path, shots: Any
) -> None:
    opened(page, lab)
    choose(page, tmp_path, "샷 <b>기록.csv", shots(note="<img src=x onerror=pwned=1>"))
    # the company has one machine, so the first look needs no question
    page.wait_for_selector(".tiles")
    row = page.locator('tr[data-column="설비"]')
    row.locator("select").focus()
    row.locator("select").select_option("")
    row = page.locator('tr[data-column="실린더온도1"]')
    row.locator("select").focus()
    row.locator("select").select_option("barrel_temperature_2")
    row.locator("[data-unit]").fill("℃")
    page.check('input[value="sentinel-value"]')
    page.locator("details summary").first.click()
    page.fill('[name="dataset"]', "corrected")
    page.click('button[data-do="look"]')
    page.wait_for_selector('tr[data-column="실린더온도1"] .tag.good')
    assert (
        page.locator(".finding .tag.good").count() == 1
    )  # the placeholders are mended
    page.click('button[data-do="store"]')
    page.wait_for_selector('[data-act="undo"]')
    assert "corrected 1판" in page.locator(".kamp-start h2").first.inner_text()
    stored = (lab.tenant.data / "corrected" / "table").is_dir()
    assert stored
    page.click('[data-act="undo"]')
    page.wait_for_selector(".kamp-start .ok")
    page.click('[data-act="another"]')
    page.wait_for_selector(".kamp-start .drop")
    assert list((lab.tenant.data / ".uploads").iterdir()) == []


def test_a_dropped_file_is_brought_in(page: Page, lab: Lab, shots: Any) -> None:
    opened(page, lab)
    text = shots().decode("cp949")
    transfer = page.evaluate_handle(
        "(text) => { const t = new DataTransfer();"
        " t.items.add(new File([text], '놓은 파일.csv')); return t; }",
        text,
    )
    page.dispatch_event(".kamp-start .drop", "dragover", {"dataTransfer": transfer})
    page.wait_for_selector(".kamp-over")
    page.dispatch_event(".kamp-start .drop", "drop", {"dataTransfer": transfer})
    page.wait_for_selector('form[data-form="intake"]')
    assert "놓은 파일.csv" in page.locator(".kamp-start .top").inner_text()
    page.wait_for_selector(".tiles")
    # it survives a reload of the page
    page.reload()
    page.click('[data-view^="intake/"]')
    page.wait_for_selector(".tiles")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click('[data-act="discard"]')
    page.wait_for_selector(".kamp-start .drop")


@pytest.mark.long
def test_an_upload_can_be_stopped_and_leaves_nothing(
    page: Page, lab: Lab, tmp_path: Path
) -> None:
    opened(page, lab)
    page.route("**/kamp/uploads/*/0?**", lambda route: None)  # it never arrives
    choose(page, tmp_path, "느린 파일.csv", b"x" * 1000)
    page.click('[data-place="sending"] button')
    page.wait_for_selector('[data-place="sending"] .card', state="detached")
    page.unroute("**/kamp/uploads/*/0?**")
    page.wait_for_timeout(500)
    assert page.locator(".said").count() == 0
    assert list((lab.tenant.data / ".uploads").iterdir()) == []


def test_a_folder_keeps_its_shape(
    page: Page, lab: Lab, tmp_path: Path, shots: Any
) -> None:
    folder = tmp_path / "회차"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.csv").write_bytes(shots(30 + number))
    opened(page, lab)
    page.set_input_files('[data-pick="folder"]', folder)
    page.wait_for_selector('form[data-form="intake"]')
    (upload,) = [p for p in (lab.tenant.data / ".uploads").iterdir() if p.is_dir()]
    there = sorted(p.name for p in (upload / "files" / "회차").iterdir())
    assert there == ["0.csv", "1.csv", "2.csv"]
    page.wait_for_selector(".tiles, .card.bad")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click('[data-act="discard"] >> nth=-1')
    page.wait_for_selector(".kamp-start .drop")


def test_an_analysis_is_run_by_click_and_published(page: Page, stocked: Lab) -> None:
    opened(page, stocked)
    page.click('[data-view^="model/injection-quality"]')
    page.fill('[name="cost_missed"]', "많이")
    page.click('form[data-form="run"] button[type="submit"]')
    page.wait_for_selector('[data-field="cost_missed"] [data-error]:not([hidden])')
    page.fill('[name="cost_missed"]', "80,000")
    page.click('form[data-form="run"] button[type="submit"]')
    page.wait_for_selector(".job.running, .job.waiting")
    page.reload()  # the job is the server's, not the page's
    page.wait_for_selector('.job.done:has-text("분석 실행")')
    page.wait_for_selector('[data-act="publish"]')
    (bundle,) = list_runs(stocked.tenant)
    assert bundle.record.person == "ann"
    assert bundle.record.parameters["cost_missed"] == 80_000
    assert bundle.record.edited == ["cost_missed"]
    assert bundle.record.verdict is not None
    row = page.locator(".rows li", has_text="ann님이 실행")
    assert bundle.record.verdict.sentence.ko in row.inner_text()
    with page.context.expect_page() as popup:
        row.locator("a.button").click()
    preview = popup.value
    preview.wait_for_load_state()
    assert "의사결정 페이지" in preview.inner_text("body")
    preview.close()
    row.locator('[data-act="publish"]').click()
    page.wait_for_selector('.rows li:has-text("게시됨")')
    assert (stocked.tenant.published / bundle.path.name).is_dir()
    row.locator('[data-act="withdraw"]').click()
    row.locator('[data-act="publish"]').wait_for()
    assert not (stocked.tenant.published / bundle.path.name).exists()


def test_a_page_opened_from_here_can_run_no_script(page: Page, stocked: Lab) -> None:
    opened(page, stocked)
    with page.context.expect_page() as popup:
        page.click('a[href*="/datasets/simulated/page"]')
    shown = popup.value
    shown.wait_for_load_state()
    assert "simulated" in shown.inner_text("h1")
    assert shown.evaluate("window.origin") == "null"
    shown.close()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_is_wider_than_the_screen(
    page: Page, stocked: Lab, size: dict[str, int]
) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    opened(page, stocked)
    for view in ("start", "model/injection-quality?dataset=simulated"):
        if view != "start":
            page.click('[data-view^="model/"]')
            page.wait_for_selector('form[data-form="run"]')
        node = page.locator(".kamp-start")
        wide = node.evaluate("n => n.scrollWidth - n.clientWidth")
        assert wide <= 0, view
        assert (
            node.evaluate("n => n.clientWidth") >= size["width"] * 0.7 or size == DESK
        )


def contrast(one: str, other: str) -> float:
    """WCAG contrast of two CSS colours."""

    def light(colour: str) -> float:
        parts = [int(p) / 255 for p in re.findall(r"\d+", colour)[:3]]
        linear = [
            p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted([light(one), light(other)], reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.long
@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_it_can_be_read_in_both_themes(page: Page, stocked: Lab, theme: str) -> None:
    address = "/lab/api/settings/@jupyterlab/apputils-extension:themes"
    stocked.ask("PUT", address, {"raw": json.dumps({"theme": theme})})
    opened(page, stocked)
    page.wait_for_selector(f'body[data-jp-theme-name="{theme}"]', state="attached")
    for words in ("h1", ".quiet", ".tag", ".button", "button.main", ".model h3"):
        colours = page.locator(f".kamp-start {words}").first.evaluate(
            "n => { let back = n; while (getComputedStyle(back).backgroundColor ==="
            " 'rgba(0, 0, 0, 0)') back = back.parentElement;"
            " return [getComputedStyle(n).color, getComputedStyle(back).backgroundColor]; }"
        )
        assert contrast(*colours) >= 4.5, (words, colours)


@pytest.mark.long
def test_what_is_not_there_any_more_leads_back_to_the_start(
    page: Page, lab: Lab, shots: Any
) -> None:
    opened(page, lab)
    upload = lab.upload({"shots.csv": shots()})
    page.click('[data-act="language"]')
    page.click('[data-act="language"]')
    page.wait_for_selector(f'[data-view="intake/{upload}"]')
    lab.ask("DELETE", f"/kamp/uploads/{upload}")
    page.click(f'[data-view="intake/{upload}"]')
    page.wait_for_selector(".said >> text=올린 파일이 없습니다")
    page.wait_for_selector(".kamp-start .drop")


@pytest.mark.long
def test_a_server_that_is_gone_is_said_and_can_be_tried_again(
    page: Page, lab: Lab
) -> None:
    opened(page, lab)
    page.route("**/kamp/**", lambda route: route.abort())
    page.click('[data-act="language"]')
    page.wait_for_selector("text=cannot be reached")
    page.unroute("**/kamp/**")
    page.click(".said button >> nth=0")
    page.wait_for_selector(".kamp-start .models")
