"""Pieces of files: in order, no more than announced, removed when they are not needed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from kamp_lib.errors import KampError, UsageError
from kamp_lib.tenancy import Tenant
from kamp_lib.workspace import uploads as room
from kamp_lib.workspace.uploads import MOST_UPLOADS, Uploads


@pytest.fixture
def uploads(company: Tenant) -> Uploads:
    return Uploads(company)


def left(uploads: Uploads) -> list[str]:
    return sorted(p.name for p in uploads.root.glob("*"))


def test_pieces_become_the_file(uploads: Uploads) -> None:
    upload = uploads.start([("a.csv", 6)])
    upload.write(0, 0, b"abc")
    assert not upload.whole
    upload.write(0, 3, b"def")
    assert upload.whole
    assert upload.files[0].path.read_bytes() == b"abcdef"


def test_a_piece_that_is_sent_again_changes_nothing(uploads: Uploads) -> None:
    upload = uploads.start([("a.csv", 6)])
    for _ in range(2):
        upload.write(0, 0, b"abc")
    assert upload.here == 3


@pytest.mark.parametrize(
    ("number", "offset", "piece"),
    [(0, 4, b"x"), (0, -1, b"x"), (0, 0, b"1234567"), (1, 0, b"x"), (-1, 0, b"x")],
    ids=["a hole", "before the file", "too much", "no such file", "counted backwards"],
)
def test_what_was_not_announced_is_refused(
    uploads: Uploads, number: int, offset: int, piece: bytes
) -> None:
    upload = uploads.start([("a.csv", 6)])
    with pytest.raises(UsageError):
        upload.write(number, offset, piece)
    assert upload.files[0].path.read_bytes() == b""


def test_an_empty_file_is_whole_at_once(uploads: Uploads) -> None:
    assert uploads.start([("empty.csv", 0)]).whole


def test_uploads_lie_outside_the_tree_that_jupyterlab_shows(
    uploads: Uploads, company: Tenant
) -> None:
    upload = uploads.start([("../../workspace/a.csv", 1)])
    path = upload.files[0].path.resolve()
    assert path.is_relative_to(company.data.resolve())
    assert not path.is_relative_to(company.workspace.resolve())


def test_ingest_is_given_the_folder_that_was_dropped(uploads: Uploads) -> None:
    upload = uploads.start([("runs/1.csv", 1), ("runs/2.csv", 1), ("train.csv", 1)])
    assert [p.name for p in upload.tops()] == ["runs", "train.csv"]


def test_a_link_put_in_the_place_of_a_file_is_not_written_through(
    uploads: Uploads, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"safe")
    upload = uploads.start([("a.csv", 4)])
    upload.files[0].path.unlink()
    upload.files[0].path.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic"):
        upload.write(0, 0, b"evil")
    assert victim.read_bytes() == b"safe"


def test_more_than_the_disk_holds_is_refused_before_it_is_sent(
    uploads: Uploads,
) -> None:
    with pytest.raises(KampError, match="디스크"):
        uploads.start([("huge.csv", 1 << 50)])
    assert left(uploads) == []


def test_what_others_have_announced_counts_as_taken(
    uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "free_room", lambda folder: 3000)
    uploads.start([("a.csv", 900)])
    with pytest.raises(KampError, match="디스크"):
        uploads.start([("b.csv", 900)])


def test_too_many_files_or_uploads_are_refused(uploads: Uploads) -> None:
    with pytest.raises(UsageError, match="zip"):
        uploads.start([("a.csv", 0)] * (room.MOST_FILES + 1))
    for _ in range(MOST_UPLOADS):
        uploads.start([("a.csv", 0)])
    with pytest.raises(UsageError, match="저장하지 않은"):
        uploads.start([("a.csv", 0)])


def test_nobodys_id_is_an_error(uploads: Uploads) -> None:
    uploads.start([("a.csv", 0)])
    for wrong in ("", "nobody", "../x"):
        with pytest.raises(KampError):
            uploads.upload(wrong)


def test_what_is_discarded_is_gone(uploads: Uploads) -> None:
    upload = uploads.start([("a.csv", 0)])
    # the server lets go in another thread than it took hold in
    thread = threading.Thread(target=uploads.discard, args=[upload.id])
    thread.start()
    thread.join()
    assert left(uploads) == []


def test_what_is_stored_needs_its_files_no_longer(uploads: Uploads) -> None:
    upload = uploads.start([("a.csv", 0)])
    uploads.release(upload)
    assert left(uploads) == []
    assert uploads.upload(upload.id) is upload


def test_the_next_server_sweeps_what_a_killed_one_left(
    uploads: Uploads, company: Tenant
) -> None:
    (company.data / ".uploads" / "old").mkdir(parents=True)
    alive = uploads.start([("a.csv", 0)])
    Uploads(company).sweep()
    assert left(uploads) == sorted([alive.id, f"{alive.id}.lock"])


def test_closing_removes_everything(uploads: Uploads) -> None:
    uploads.start([("a.csv", 0)])
    uploads.start([("b.csv", 0)])
    uploads.close()
    assert left(uploads) == []


def test_files_are_closed_to_other_users(uploads: Uploads) -> None:
    upload = uploads.start([("a.csv", 0)])
    assert os.stat(upload.files[0].path).st_mode & 0o077 == 0
