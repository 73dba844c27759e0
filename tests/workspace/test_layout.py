"""Notebooks of the first day: updated with care, never over somebody's work."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant
from kamp_lib.workspace import layout
from kamp_lib.workspace.layout import laid_out, lay_out

NAME = "폴더/안내.ipynb"
BESIDE = "폴더/안내 (새 판).ipynb"


@pytest.fixture
def offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put one notebook of our own in the place of what is laid out."""
    folder = tmp_path / "templates"
    (folder / "workspace").mkdir(parents=True)
    (folder / "workspace" / "contents.yaml").write_text(
        f'[{{source: a.ipynb, path: "{NAME}", title: {{ko: 안내, en: guide}},'
        " about: {ko: 글, en: text}}]",
        encoding="utf-8",
    )
    monkeypatch.setenv("KAMP_TEMPLATES", str(folder))

    def put(text: str) -> None:
        (folder / "a.ipynb").write_text(text, encoding="utf-8")

    put("one")
    return put


def text(company: Tenant, name: str = NAME) -> str | None:
    path = company.workspace / name
    return path.read_text(encoding="utf-8") if path.is_file() else None


def names(company: Tenant) -> list[str]:
    files = company.workspace.rglob("*.ipynb")
    return sorted(str(p.relative_to(company.workspace)) for p in files)


def test_the_first_day_lays_everything_out(company: Tenant) -> None:
    written = lay_out(company)
    assert written == [item.path for item in laid_out()]
    assert names(company) == sorted(written)


def test_a_second_time_nothing_is_written(company: Tenant) -> None:
    lay_out(company)
    assert lay_out(company) == []


def test_an_unchanged_notebook_is_replaced_by_its_newer_version(
    company: Tenant, offer: Callable[[str], None]
) -> None:
    lay_out(company)
    offer("two")
    assert lay_out(company) == [NAME]
    assert text(company) == "two"


def test_an_edited_notebook_stays_and_the_newer_version_lies_beside_it(
    company: Tenant, offer: Callable[[str], None]
) -> None:
    lay_out(company)
    (company.workspace / NAME).write_text("mine", encoding="utf-8")
    offer("two")
    assert lay_out(company) == [BESIDE]
    assert (text(company), text(company, BESIDE)) == ("mine", "two")


def test_a_newer_version_is_laid_beside_only_once(
    company: Tenant, offer: Callable[[str], None]
) -> None:
    lay_out(company)
    (company.workspace / NAME).write_text("mine", encoding="utf-8")
    offer("two")
    lay_out(company)
    (company.workspace / BESIDE).unlink()
    assert lay_out(company) == []
    assert names(company) == [NAME]


def test_the_version_after_that_replaces_the_one_beside(
    company: Tenant, offer: Callable[[str], None]
) -> None:
    lay_out(company)
    (company.workspace / NAME).write_text("mine", encoding="utf-8")
    for version in ("two", "three"):
        offer(version)
        lay_out(company)
    assert names(company) == sorted([NAME, BESIDE])
    assert text(company, BESIDE) == "three"


def test_an_edited_version_beside_is_not_written_over_either(
    company: Tenant, offer: Callable[[str], None]
) -> None:
    lay_out(company)
    (company.workspace / NAME).write_text("mine", encoding="utf-8")
    offer("two")
    lay_out(company)
    (company.workspace / BESIDE).write_text("mine too", encoding="utf-8")
    offer("three")
    lay_out(company)
    assert text(company, BESIDE) == "mine too"
    assert text(company, "폴더/안내 (새 판 2).ipynb") == "three"


def test_what_was_removed_does_not_come_back(
    company: Tenant, offer: Callable[[str], None]
) -> None:
    lay_out(company)
    (company.workspace / NAME).unlink()
    lay_out(company)
    offer("two")
    assert lay_out(company) == []
    assert names(company) == []


def test_a_file_of_that_name_that_was_there_before_is_somebodys_own(
    company: Tenant, offer: Callable[[str], None]
) -> None:
    (company.workspace / "폴더").mkdir()
    (company.workspace / NAME).write_text("mine", encoding="utf-8")
    lay_out(company)
    assert (text(company), text(company, BESIDE)) == ("mine", "one")


@pytest.mark.parametrize("spoilt", ["", "{", "[]", '{"files": {"a": 1}}', "\x00"])
def test_a_spoilt_memory_costs_nobody_anything(
    company: Tenant, offer: Callable[[str], None], spoilt: str
) -> None:
    lay_out(company)
    (company.workspace / NAME).write_text("mine", encoding="utf-8")
    (company.workspace / ".kamp" / "laid-out.json").write_text(spoilt)
    offer("two")
    lay_out(company)
    assert (text(company), text(company, BESIDE)) == ("mine", "two")


def test_a_crash_between_writing_and_remembering_is_made_good(
    company: Tenant, offer: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = layout._write

    def crash(path: Path, content: bytes) -> None:
        if path.name == "laid-out.json":
            raise OSError("the power is gone")
        write(path, content)

    with monkeypatch.context() as broken:
        broken.setattr(layout, "_write", crash)
        with pytest.raises(KampError):
            lay_out(company)
    offer("one")
    assert lay_out(company) == []
    offer("two")
    assert lay_out(company) == [NAME]


def test_two_servers_at_once_do_not_get_in_each_others_way(company: Tenant) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: lay_out(company), range(4)))
    assert sorted(map(len, done)) == [0, 0, 0, len(laid_out())]
    assert not list(company.workspace.rglob(".*.partial"))


def test_links_are_not_followed(
    company: Tenant, offer: Callable[[str], None], tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "안내.ipynb").write_text("safe", encoding="utf-8")
    (company.workspace / "폴더").symlink_to(victim)
    assert lay_out(company) == []
    (company.workspace / "폴더").unlink()
    (company.workspace / "폴더").mkdir()
    (company.workspace / NAME).symlink_to(victim / "안내.ipynb")
    offer("two")
    lay_out(company)
    assert (victim / "안내.ipynb").read_text(encoding="utf-8") == "safe"


def test_a_memory_that_is_a_link_is_not_written_through(
    company: Tenant, offer: Callable[[str], None], tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (company.workspace / ".kamp").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KampError):
        lay_out(company)
    assert list((tmp_path / "elsewhere").iterdir()) == []
