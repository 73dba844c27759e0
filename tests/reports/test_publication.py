"""Releasing and taking back; attacks by whoever writes the bundle."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from kamp_lib.errors import KampError
from kamp_lib.reports import copying, publication
from kamp_lib.reports.notes import (
    PUBLICATION,
    REPORT,
    Publication,
    current_runs,
    list_publications,
    read_publication,
)
from kamp_lib.reports.publication import publish, withdraw
from kamp_lib.tenancy import Tenant

RUN = "20261121-010203-injection-quality-ab12cd"
LATER = "20261122-010203-injection-quality-ab12cd"
Maker = Callable[..., Path]


@pytest.fixture
def run(bundles: Maker, tenant: Tenant) -> Path:
    return bundles(tenant.runs / RUN)


def released(tenant: Tenant) -> list[str]:
    """What lies in the shelf, but for the platform's own hidden files."""
    return sorted(p.name for p in tenant.published.iterdir() if p.name[0] != ".")


def changed(run: Path, change: Callable[[dict[str, Any]], object]) -> None:
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    change(record)
    (run / "run.json").write_text(json.dumps(record), encoding="utf-8")


# -- releasing ----------------------------------------------------------------------


def test_the_bundle_and_its_report_are_there(run: Path, tenant: Tenant) -> None:
    folder = publish(tenant, RUN)
    assert folder == tenant.published / RUN
    assert (folder / REPORT).is_file()
    assert (folder / "run.json").read_bytes() == (run / "run.json").read_bytes()
    assert (folder / "tables" / "cases.parquet").is_file()
    assert (folder / "figures" / "tradeoff.ko.svg").is_file()


def test_every_files_hash_is_recorded(run: Path, tenant: Tenant) -> None:
    folder = publish(tenant, RUN)
    note = read_publication(folder)
    assert note is not None
    files = {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file() and p.name != PUBLICATION
    }
    assert note.sha256 == files


def test_who_released_what_and_when_is_recorded(run: Path, tenant: Tenant) -> None:
    note = read_publication(publish(tenant, RUN, by="ann"))
    assert note is not None
    assert (note.run, note.tenant, note.by) == (RUN, "hanbit", "ann")
    assert (note.model, note.dataset) == ("injection-quality", "injection")
    assert note.size > 0


def test_publishing_again_replaces_what_was_there(run: Path, tenant: Tenant) -> None:
    first = publish(tenant, RUN, by="ann")
    (first / "left-over").write_text("x")
    note = read_publication(publish(tenant, RUN, by="carl"))
    assert not (first / "left-over").exists()
    assert released(tenant) == [RUN]
    assert note is not None
    assert [r.by for r in note.earlier] == ["ann"]


def test_a_failed_run_can_be_published_too(bundles: Maker, tenant: Tenant) -> None:
    bundles(tenant.runs / RUN, failed=True)
    assert (publish(tenant, RUN) / REPORT).is_file()


def test_what_is_released_everybody_may_read_whatever_the_umask(
    run: Path, tenant: Tenant
) -> None:
    for file in run.rglob("*"):
        file.chmod(0o700)
    before = os.umask(0o077)
    try:
        folder = publish(tenant, RUN)
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o755
    for path in folder.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_a_folder_of_another_user_is_released_as_the_platforms(
    run: Path, tenant: Tenant
) -> None:
    for path in (tenant.runs, run, *run.rglob("*")):
        os.chown(path, 200_001, 200_001)
        path.chmod(0o700 if path.is_dir() else 0o600)
    folder = publish(tenant, RUN)
    assert {p.stat().st_uid for p in (folder, *folder.rglob("*"))} == {0}


# -- the history --------------------------------------------------------------------


def test_an_earlier_release_of_the_same_question_stays(
    bundles: Maker, run: Path, tenant: Tenant
) -> None:
    bundles(tenant.runs / LATER)
    publish(tenant, RUN, by="ann")
    publish(tenant, LATER, by="carl")
    notes = list_publications(tenant)
    assert [(n.run, n.by) for n in notes] == [(LATER, "carl"), (RUN, "ann")]
    assert current_runs(notes) == {LATER}


def test_what_was_released_last_is_current_also_when_the_run_is_older(
    bundles: Maker, run: Path, tenant: Tenant
) -> None:
    bundles(tenant.runs / LATER)
    publish(tenant, LATER)
    publish(tenant, RUN)
    assert current_runs(list_publications(tenant)) == {RUN}


def test_each_model_and_data_set_has_a_current_page() -> None:
    def note(run: str, **more: Any) -> Publication:
        when = f"2026-11-{run}T00:00:00Z"
        return Publication.model_validate(
            {"run": run, "tenant": "a", "published": when, **more}
        )

    notes = [
        note("01", model="m", dataset="d"),
        note("02", model="m", dataset="d"),
        note("03", model="m", dataset="e"),
        note("04"),
        note("05"),
    ]
    assert current_runs(notes) == {"02", "03", "04", "05"}


def test_a_page_taken_back_is_gone_but_not_forgotten(run: Path, tenant: Tenant) -> None:
    publish(tenant, RUN, by="ann")
    withdraw(tenant, RUN, by="carl")
    assert released(tenant) == []
    assert list_publications(tenant) == []
    (note,) = list_publications(tenant, withdrawn=True)
    assert (note.by, note.withdrawn_by) == ("ann", "carl")
    assert note.withdrawn is not None
    assert not list(tenant.published.rglob("*.parquet"))


def test_a_page_taken_back_can_be_released_again(run: Path, tenant: Tenant) -> None:
    publish(tenant, RUN, by="ann")
    withdraw(tenant, RUN, by="ann")
    publish(tenant, RUN, by="carl")
    notes = list_publications(tenant, withdrawn=True)
    assert [(n.by, n.withdrawn is None) for n in notes] == [
        ("carl", True),
        ("ann", False),
    ]


@pytest.mark.parametrize("name", ["", "../runs", ".", "..", "x", RUN[:-1] + "z"])
def test_only_a_released_page_can_be_taken_back(
    run: Path, tenant: Tenant, name: str
) -> None:
    publish(tenant, RUN)
    with pytest.raises(KampError, match="게시되어 있지 않습니다"):
        withdraw(tenant, name)
    assert released(tenant) == [RUN]


def test_an_older_note_without_a_history_is_still_listed(
    run: Path, tenant: Tenant
) -> None:
    folder = publish(tenant, RUN)
    old = {"run": RUN, "tenant": "hanbit", "published": "2026-11-01T00:00:00+00:00"}
    (folder / PUBLICATION).write_text(json.dumps(old | {"sha256": {}}))
    assert [n.run for n in list_publications(tenant)] == [RUN]
    (folder / PUBLICATION).write_text("{")
    assert [n.run for n in list_publications(tenant)] == [RUN]


# -- attacks by whoever writes the bundle -------------------------------------------


@pytest.mark.parametrize(
    "where", ["secret", "tables/secret.parquet", "figures/dir", "model/arrays.npz"]
)
def test_a_link_stops_the_release(run: Path, tenant: Tenant, where: str) -> None:
    outside = tenant.home / "outside"
    outside.mkdir()
    (run / where).parent.mkdir(exist_ok=True)
    (run / where).symlink_to(outside)
    with pytest.raises(KampError):
        publish(tenant, RUN)
    assert released(tenant) == []


@pytest.mark.parametrize("where", ["run.json", "page.json", "tables", "figures", "."])
def test_no_part_of_a_bundle_may_be_a_link(
    run: Path, tenant: Tenant, where: str
) -> None:
    part = run / where
    aside = tenant.home / "aside"
    part.resolve().rename(aside)
    (run if where == "." else part).symlink_to(aside)
    with pytest.raises(KampError):
        publish(tenant, RUN)
    assert released(tenant) == []


def test_the_folder_of_runs_may_be_no_link(run: Path, tenant: Tenant) -> None:
    aside = tenant.home / "aside"
    tenant.runs.rename(aside)
    tenant.runs.symlink_to(aside)
    with pytest.raises(KampError):
        publish(tenant, RUN)


@pytest.mark.parametrize("where", ["pipe", "run.json", "tables/x.parquet"])
def test_a_pipe_stops_the_release_and_does_not_hang_it(
    run: Path, tenant: Tenant, where: str
) -> None:
    (run / where).unlink(missing_ok=True)
    os.mkfifo(run / where)
    with pytest.raises(KampError):
        publish(tenant, RUN)
    assert released(tenant) == []


def test_folders_swapped_for_links_while_we_copy_lead_nowhere(
    run: Path, tenant: Tenant, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    for name in ("cases.parquet", "causes.parquet", "groups.parquet"):
        (secret / name).write_bytes(b"of another company")
    real, link = run / "tables", run / "link"
    link.symlink_to(secret)
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            publication._exchange(real, link)

    racer = threading.Thread(target=swap)
    racer.start()
    try:
        for _ in range(40):
            target = tmp_path / "target"
            target.mkdir()
            with suppress(KampError):
                copying.copy_bundle(run, target)
            stolen = [
                p for p in target.rglob("*.parquet") if b"of another" in p.read_bytes()
            ]
            assert stolen == []
            subprocess.run(["rm", "-r", str(target)], check=True)
    finally:
        stop.set()
        racer.join()


@pytest.mark.parametrize("name", [b"a\nb", b"\xff"])
def test_a_file_name_with_odd_letters_stops_the_release(
    run: Path, tenant: Tenant, name: bytes
) -> None:
    Path(os.fsdecode(os.fsencode(run) + b"/" + name)).touch()
    with pytest.raises(KampError):
        publish(tenant, RUN)
    assert released(tenant) == []


def test_a_bundle_that_is_too_large_is_refused(
    run: Path, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "LARGEST_BUNDLE", 10_000)
    with pytest.raises(KampError, match="너무 커서"):
        publish(tenant, RUN)
    assert released(tenant) == []


def test_a_bundle_of_too_many_files_is_refused(
    run: Path, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "MOST_FILES", 20)
    for i in range(30):
        (run / f"x{i}").touch()
    with pytest.raises(KampError, match="너무 커서"):
        publish(tenant, RUN)


def test_a_company_cannot_fill_the_disk_with_released_pages(
    bundles: Maker, run: Path, tenant: Tenant
) -> None:
    bundles(tenant.runs / LATER)
    size = read_publication(publish(tenant, RUN)).size  # type: ignore[union-attr]
    with pytest.raises(KampError, match="한도"):
        publish(tenant, LATER, most=size + 1000)
    assert released(tenant) == [RUN]
    publish(tenant, RUN, most=size + 1000)


def test_a_full_disk_keeps_its_reserve(
    run: Path, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publication, "DISK_RESERVE", 2**60)
    with pytest.raises(KampError, match="공간이 모자라"):
        publish(tenant, RUN)


def test_only_what_belongs_to_a_bundle_is_taken_along(
    run: Path, tenant: Tenant
) -> None:
    # a page's kernel starts in this folder: modules here would be its own
    (run / "pandas.py").write_text("evil")
    (run / "ipywidgets").mkdir()
    (run / "ipywidgets" / "__init__.py").write_text("evil")
    (run / "tables" / "x.py").write_text("evil")
    (run / "first-paint.html").write_text("<script>evil()</script>")
    folder = publish(tenant, RUN)
    assert not [p for p in folder.rglob("*") if p.suffix in (".py", ".html")]
    assert not (folder / "ipywidgets").exists()
    note = read_publication(folder)
    assert note is not None
    assert {"pandas.py", "ipywidgets", "tables/x.py"} <= set(note.left_out)


def test_the_report_is_ours_even_when_the_bundle_brings_one(
    run: Path, tenant: Tenant
) -> None:
    (run / REPORT).write_text("evil")
    (run / PUBLICATION).write_text('{"by": "somebody else"}')
    folder = publish(tenant, RUN, by="ann")
    assert "kamp_lib" in (folder / REPORT).read_text(encoding="utf-8")
    note = read_publication(folder)
    assert note is not None
    assert note.by == "ann"


@pytest.mark.parametrize(
    "family", ["../../../../tmp/evil", "no-such", "", "/etc/passwd"]
)
def test_a_family_that_leaves_the_templates_is_refused(
    run: Path, tenant: Tenant, family: str
) -> None:
    changed(run, lambda record: record["model"].update(family=family))
    with pytest.raises(KampError, match="보고서 양식이 없어"):
        publish(tenant, RUN)
    assert released(tenant) == []


@pytest.mark.parametrize(
    "change", [{"tenant": "bolt"}, {"run": LATER}, {"run": "../x"}], ids=str
)
def test_a_record_of_another_company_or_run_is_refused(
    run: Path, tenant: Tenant, change: dict[str, str]
) -> None:
    changed(run, lambda record: record.update(change))
    with pytest.raises(KampError, match="아니어서 게시할 수 없습니다"):
        publish(tenant, RUN)
    assert released(tenant) == []


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b'{"run": 1, "thresholds": 1}',
        b"[" * 200_000,
        b'{"a":' * 50_000,
        b"\xff\xfe",
        b"NaN",
        b"[" + b"[]," * 2_000_000 + b"[]]",
        b" " * (9 * 2**20),
    ],
    ids=["", "{", "[]", "kinds", "deep", "deeper", "utf16", "nan", "wide", "long"],
)
@pytest.mark.parametrize("file", ["run.json", "page.json"])
def test_json_that_is_none_of_ours_is_refused(
    run: Path, tenant: Tenant, file: str, text: bytes
) -> None:
    (run / file).write_bytes(text)
    with pytest.raises(KampError):
        publish(tenant, RUN)
    assert released(tenant) == []


# -- whole or not at all ------------------------------------------------------------


def test_a_release_killed_at_any_time_leaves_the_old_page_or_the_new(
    run: Path, tenant: Tenant, tmp_path: Path
) -> None:
    publish(tenant, RUN, by="first")
    code = (
        "from pathlib import Path; from kamp_lib.tenancy import tenant_at\n"
        "from kamp_lib.reports.publication import publish\n"
        f"t = tenant_at(Path({str(tenant.home)!r}))\n"
        "print('ready', flush=True)\n"
        f"for i in range(1000): publish(t, {RUN!r}, by=f'round-{{i}}')\n"
    )
    for moment in (0.05, 0.11, 0.17, 0.29):
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.wait()
        note = read_publication(tenant.published / RUN)
        assert note is not None
        for name, digest in note.sha256.items():
            content = (tenant.published / RUN / name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == digest
    publish(tenant, RUN)
    left = {p.name for p in tenant.published.iterdir()}
    assert left <= {RUN, ".lock"}


def test_an_old_page_that_was_moved_aside_comes_back(run: Path, tenant: Tenant) -> None:
    folder = publish(tenant, RUN)
    # what a kill leaves where a file system cannot swap two names at once
    folder.rename(tenant.published / f"{publication.REPLACED}{RUN}")
    (tenant.published / f"{publication.STAGING}{RUN}-ab").mkdir()
    with pytest.raises(KampError):
        publish(tenant, "20990101-000000-none-ab")
    withdraw(tenant, RUN)
    assert len(list_publications(tenant, withdrawn=True)) == 1
