"""Telling that data have changed from names of files alone."""

from __future__ import annotations

import os

import pytest

from kamp_lib.fleet.datamark import data_mark
from kamp_lib.tenancy import Tenant


def commit(tenant: Tenant, dataset: str, version: int) -> None:
    log = tenant.data / dataset / "table" / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    (log / f"{version:020d}.json").touch()


def test_a_new_version_is_another_mark(tenant: Tenant) -> None:
    commit(tenant, "shots", 0)
    before = data_mark(tenant)
    assert data_mark(tenant) == before
    commit(tenant, "shots", 1)
    assert data_mark(tenant) != before


def test_only_the_named_data_set_counts(tenant: Tenant) -> None:
    commit(tenant, "shots", 0)
    before = data_mark(tenant, "shots")
    commit(tenant, "other", 0)
    assert data_mark(tenant, "shots") == before
    assert data_mark(tenant, "other") != before


def test_what_is_no_version_of_a_table_is_no_change(tenant: Tenant) -> None:
    commit(tenant, "shots", 0)
    before = data_mark(tenant)
    log = tenant.data / "shots" / "table" / "_delta_log"
    (log / "00000000000000000000.checkpoint.parquet").touch()
    (log / "x.json").touch()
    assert data_mark(tenant) == before


@pytest.mark.parametrize("part", ["shots", "shots/table", "shots/table/_delta_log"])
def test_links_are_not_followed(tenant: Tenant, part: str) -> None:
    commit(tenant, "real", 7)
    place = tenant.data / part
    place.parent.mkdir(parents=True, exist_ok=True)
    inside = {"shots": "real", "shots/table": "real/table"}.get(part)
    target = tenant.data / (inside or "real/table/_delta_log")
    before = data_mark(tenant, "shots")
    place.symlink_to(target)
    assert data_mark(tenant, "shots") == before


def test_a_pipe_holds_nobody_up(tenant: Tenant) -> None:
    (tenant.data / "shots").mkdir()
    os.mkfifo(tenant.data / "shots" / "table")
    assert data_mark(tenant)
