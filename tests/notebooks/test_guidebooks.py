"""The guidebooks run from an empty folder, and show what they teach."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import papermill
import pytest

from kamp_lib.runs import Bundle

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
# The finding that each guidebook shows on a file made dirty on purpose.
TAUGHT = {
    "1-injection": "shifted-columns",
    "2-cnc": "copied-runs",
    "3-press": "coarse-timestamps",
    "4-vision": "near-duplicate-images",
}
LONGEST_CELL = 14

pytestmark = pytest.mark.e2e
# a table and pictures in every run of the tests, the others in the long one
ALWAYS = ("1-injection", "4-vision")
each = pytest.mark.parametrize(
    "name",
    [n if n in ALWAYS else pytest.param(n, marks=pytest.mark.long) for n in TAUGHT],
)


class Executed:
    """A guidebook that was run: what its cells show, and the record it left."""

    def __init__(self, notebook: nbformat.NotebookNode, home: Path) -> None:
        outputs = [o for c in notebook.cells for o in c.get("outputs", [])]
        self.kinds = {o["output_type"] for o in outputs}
        shown = [o.get("data", {}).get("text/html", "") for o in outputs]
        self.html = "\n".join(shown)
        self.pictures = sum("image/png" in o.get("data", {}) for o in outputs)
        self.records = [Bundle(p.parent).record for p in home.rglob("runs/*/run.json")]


def execute(name: str, folder: Path, size: str) -> Executed:
    home = folder / "home"
    notebook = papermill.execute_notebook(
        FOLDER / f"{name}.ipynb",
        folder / f"{name}.ipynb",
        {"size": size, "home": str(home)},
        kernel_name="python3",
        cwd=folder,
        progress_bar=False,
    )
    return Executed(notebook, home)


@cache
def fast(name: str) -> Executed:
    """Run once for all the facts below."""
    with TemporaryDirectory(prefix="kamp-guidebook-") as folder:
        return execute(name, Path(folder), "fast")


@each
def test_a_guidebook_ends_in_the_record_of_one_run_with_a_verdict(name: str) -> None:
    (record,) = fast(name).records
    assert record.status == "succeeded"
    assert record.verdict is not None
    assert record.verdict.sentence.ko in fast(name).html


@each
def test_a_guidebook_shows_the_finding_that_it_teaches(name: str) -> None:
    assert f"<code>{TAUGHT[name]}</code>" in fast(name).html


@each
def test_a_guidebook_says_that_its_data_are_simulated(name: str) -> None:
    (record,) = fast(name).records
    assert record.dataset is not None
    assert record.dataset.simulated
    assert "모의(시뮬레이션) 데이터" in fast(name).html


@each
def test_a_guidebook_shows_pictures_and_no_error(name: str) -> None:
    assert fast(name).pictures >= 2
    assert "error" not in fast(name).kinds


@pytest.mark.long
@each
def test_a_guidebook_runs_on_the_demo_data(name: str, tmp_path: Path) -> None:
    (record,) = execute(name, tmp_path, "demo").records
    assert record.status == "succeeded"


@each
def test_a_guidebook_is_kept_without_outputs_and_in_short_cells(name: str) -> None:
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", 4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    longest = max(len(cell.source.splitlines()) for cell in code)
    assert longest <= LONGEST_CELL
    assert code[0].metadata.tags == ["parameters"]


def test_the_index_names_every_guidebook() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    names = [path.name for path in FOLDER.glob("*.ipynb")]
    assert sorted(names) == [f"{name}.ipynb" for name in TAUGHT]
    assert all(f"({name})" in index for name in names)
