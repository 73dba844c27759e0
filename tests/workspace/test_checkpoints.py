"""Checkpoints: one's own, and not in the tree that all share."""

from __future__ import annotations

from pathlib import Path

import pytest
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from tornado import web
from workspace.loops import finish

from kamp_lib.tenancy import Tenant
from kamp_lib.workspace.checkpoints import ApartCheckpoints


@pytest.fixture
def files(company: Tenant, monkeypatch: pytest.MonkeyPatch) -> AsyncLargeFileManager:
    monkeypatch.setenv("KAMP_TENANT_HOME", str(company.home))
    monkeypatch.setenv("KAMP_PERSON", "ann")
    root = str(company.workspace)
    return AsyncLargeFileManager(root_dir=root, checkpoints_class=ApartCheckpoints)


def hidden(company: Tenant) -> list[Path]:
    return [p for p in company.workspace.rglob("*") if p.name.startswith(".")]


def test_a_checkpoint_brings_a_file_back_and_leaves_nothing_in_the_tree(
    files: AsyncLargeFileManager, company: Tenant
) -> None:
    note = company.workspace / "폴더" / "메모.txt"
    note.parent.mkdir()
    note.write_text("before", encoding="utf-8")

    async def work() -> None:
        made = await files.create_checkpoint("폴더/메모.txt")
        note.write_text("after", encoding="utf-8")
        await files.restore_checkpoint(made["id"], "폴더/메모.txt")

    finish(work())
    assert note.read_text(encoding="utf-8") == "before"
    assert hidden(company) == []


def test_files_of_one_name_in_two_folders_have_their_own(
    files: AsyncLargeFileManager, company: Tenant
) -> None:
    paths = [
        ApartCheckpoints(parent=files).checkpoint_path("c", p) for p in ("a/x", "b/x")
    ]
    assert len(set(paths)) == 2


def test_two_people_do_not_share_a_checkpoint(
    files: AsyncLargeFileManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = files.checkpoints.checkpoint_path("c", "a.ipynb")
    monkeypatch.setenv("KAMP_PERSON", "carl")
    assert files.checkpoints.checkpoint_path("c", "a.ipynb") != mine


@pytest.mark.parametrize("path", ["../../../etc/passwd", "a/../../b", "/", ""])
def test_no_path_leads_out(files: AsyncLargeFileManager, path: str) -> None:
    with pytest.raises(web.HTTPError):
        files.checkpoints.checkpoint_path("c", path)


def test_no_name_of_a_person_leads_out(
    files: AsyncLargeFileManager, company: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAMP_PERSON", "../../elsewhere")
    path = Path(files.checkpoints.checkpoint_path("c", "a.txt")).resolve()
    assert path.is_relative_to((company.data / ".checkpoints").resolve())
