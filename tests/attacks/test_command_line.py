"""Attacks on the command line: odd words and odd homes, one sentence each."""

from __future__ import annotations

from pathlib import Path

import pytest
from in_process import Kamp

from kamp_lib.tenancy import Tenant


def test_an_empty_file_name_is_not_this_folder(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kamp: Kamp
) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    monkeypatch.chdir(tmp_path)
    said = kamp("ingest", tenant.slug, "generic", "")
    assert said.status == 2
    assert "name the equipment and the files" in said.err


@pytest.mark.parametrize(
    "name", ["", " ", "a\nb", "a\x7f", "a\x1b[2J", "\udcff", "가" * 101]
)
def test_a_company_has_a_name_that_can_be_shown(name: str, kamp: Kamp) -> None:
    assert kamp("tenant", "add", "acme", name).status == 2
    assert kamp("tenant", "list").status == 0


@pytest.mark.parametrize(
    "text",
    [
        'slug = "other"\nname_ko = "a"\nname_en = "b"',
        'slug = "../x"\nname_ko = "a"\nname_en = "b"',
        'slug = "evil"\nname_ko = 5\nname_en = [1]',
        'slug = "evil"\nname_ko = "a"\nname_en = "b"\ntime_zone = "Mars"',
        'slug = "evil"\nname_ko = "a"\nname_en = "b"\ntime_zone = 5',
        "\x7f",
    ],
)
def test_a_tampered_company_folder_is_named(
    tenant: Tenant, text: str, kamp: Kamp
) -> None:
    evil = tenant.home.with_name("evil")
    evil.mkdir()
    (evil / "tenant.toml").write_text(text)
    said = kamp("datasets", "evil")
    assert said.status == 1
    assert str(evil) in said.err
    shown = kamp("tenant", "list")
    assert shown.status == 0  # the others are there as ever
    assert str(evil) in shown.err
    assert tenant.slug in shown.out


@pytest.mark.parametrize(
    "words", [["init"], ["tenant", "list"], ["tenant", "add", "a", "b"]]
)
def test_a_home_that_is_a_file_is_said_to_be_one(
    tmp_path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch, kamp: Kamp
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("KAMP_HOME", str(tmp_path / "file"))
    said = kamp(*words)
    assert said.status == 1
    assert "a file stands where a folder should be" in said.err


def test_an_empty_home_setting_counts_as_unset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kamp: Kamp
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "mine"))
    monkeypatch.setenv("KAMP_HOME", "")
    assert kamp("init").status == 0
    assert (tmp_path / "mine" / "kamp" / "tenants").is_dir()


def test_a_broken_settings_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kamp: Kamp
) -> None:
    (tmp_path / "kamp.toml").write_text("lang = [")
    monkeypatch.chdir(tmp_path)
    said = kamp("tenant", "list")
    assert said.status == 2
    assert "kamp.toml" in said.err


def test_ctrl_c_while_the_command_is_put_together_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, kamp: Kamp
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kamp_lib.cli._app", interrupted)
    said = kamp("tenant", "list")
    assert said.status == 1
    assert said.err.startswith("stopped")
