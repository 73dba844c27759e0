from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kamp_lib.errors import KampError
from kamp_lib.reports.publication import PUBLICATION, REPORT, publish
from kamp_lib.tenancy import Tenant

RUN = "20261121-010203-injection-quality-ab12cd"
Maker = Callable[..., Path]


@pytest.fixture
def run(bundles: Maker, tenant: Tenant) -> Path:
    return bundles(tenant.runs / RUN)


def test_the_bundle_and_its_report_are_there(run: Path, tenant: Tenant) -> None:
    folder = publish(tenant, RUN)
    assert folder == tenant.published / RUN
    assert (folder / REPORT).is_file()
    assert (folder / "run.json").read_bytes() == (run / "run.json").read_bytes()


def test_every_files_hash_is_recorded(run: Path, tenant: Tenant) -> None:
    folder = publish(tenant, RUN)
    note = json.loads((folder / PUBLICATION).read_text(encoding="utf-8"))
    files = {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file() and p.name != PUBLICATION
    }
    assert note["sha256"] == files


def test_publishing_again_replaces_what_was_there(run: Path, tenant: Tenant) -> None:
    first = publish(tenant, RUN)
    (first / "left-over").write_text("x")
    publish(tenant, RUN)
    assert not (first / "left-over").exists()
    assert [p.name for p in tenant.published.iterdir()] == [RUN]


@pytest.mark.parametrize("where", ["secret", "tables/secret.parquet", "figures/dir"])
def test_a_link_stops_the_release(run: Path, tenant: Tenant, where: str) -> None:
    outside = tenant.home / "outside"
    outside.mkdir()
    (run / where).symlink_to(outside)
    with pytest.raises(KampError):
        publish(tenant, RUN)
    assert list(tenant.published.iterdir()) == []


def test_a_pipe_stops_the_release_and_does_not_hang_it(
    run: Path, tenant: Tenant
) -> None:
    os.mkfifo(run / "pipe")
    with pytest.raises(KampError):
        publish(tenant, RUN)


@pytest.mark.parametrize("name", [b"a\nb", b"\xff"])
def test_a_file_name_with_odd_letters_stops_the_release(
    run: Path, tenant: Tenant, name: bytes
) -> None:
    Path(os.fsdecode(os.fsencode(run) + b"/" + name)).touch()
    with pytest.raises(KampError):
        publish(tenant, RUN)
    assert list(tenant.published.iterdir()) == []


def test_a_bundle_that_is_too_large_is_refused(
    run: Path, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kamp_lib.reports.publication.LARGEST_BUNDLE", 10_000)
    with pytest.raises(KampError, match="너무 커서"):
        publish(tenant, RUN)
    assert list(tenant.published.iterdir()) == []


def test_the_report_is_ours_even_when_the_bundle_brings_one(
    run: Path, tenant: Tenant
) -> None:
    (run / REPORT).write_text("evil")
    assert "kamp_lib" in (publish(tenant, RUN) / REPORT).read_text(encoding="utf-8")


def test_a_family_that_leaves_the_templates_is_refused(
    run: Path, tenant: Tenant
) -> None:
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    record["model"]["family"] = "../../../../tmp/evil"
    (run / "run.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(KampError, match="보고서 양식이 없어"):
        publish(tenant, RUN)


def test_a_failed_run_can_be_published_too(bundles: Maker, tenant: Tenant) -> None:
    bundles(tenant.runs / RUN, failed=True)
    assert (publish(tenant, RUN) / REPORT).is_file()
