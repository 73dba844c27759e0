"""Attacks on the command line: odd words and odd homes, one sentence each."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kamp_lib.cli import main
from kamp_lib.tenancy import Tenant


def kamp(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["kamp", *words])
    monkeypatch.setenv("KAMP_LANG", "en")
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


def test_an_empty_file_name_is_not_this_folder(
    tenant: Tenant,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    monkeypatch.chdir(tmp_path)
    assert kamp(monkeypatch, "ingest", tenant.slug, "generic", "") == 2
    assert "name the equipment and the files" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["", " ", "a\nb", "a\x7f", "a\x1b[2J", "\udcff", "가" * 101]
)
def test_a_company_has_a_name_that_can_be_shown(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert kamp(monkeypatch, "tenant", "add", "acme", name) == 2
    assert kamp(monkeypatch, "tenant", "list") == 0


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
    tenant: Tenant,
    text: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    evil = tenant.home.with_name("evil")
    evil.mkdir()
    (evil / "tenant.toml").write_text(text)
    assert kamp(monkeypatch, "datasets", "evil") == 1
    assert str(evil) in capsys.readouterr().err
    assert kamp(monkeypatch, "tenant", "list") == 0  # the others are there as ever
    shown = capsys.readouterr()
    assert str(evil) in shown.err
    assert tenant.slug in shown.out


@pytest.mark.parametrize(
    "words", [["init"], ["tenant", "list"], ["tenant", "add", "a", "b"]]
)
def test_a_home_that_is_a_file_is_said_to_be_one(
    tmp_path: Path,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("KAMP_HOME", str(tmp_path / "file"))
    assert kamp(monkeypatch, *words) == 1
    assert "a file stands where a folder should be" in capsys.readouterr().err


def test_an_empty_home_setting_counts_as_unset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "mine"))
    monkeypatch.setenv("KAMP_HOME", "")
    assert kamp(monkeypatch, "init") == 0
    assert (tmp_path / "mine" / "kamp" / "tenants").is_dir()


def test_a_broken_settings_file_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "kamp.toml").write_text("lang = [")
    monkeypatch.chdir(tmp_path)
    assert kamp(monkeypatch, "tenant", "list") == 2
    assert "kamp.toml" in capsys.readouterr().err


def test_ctrl_c_while_the_command_is_put_together_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kamp_lib.cli._app", interrupted)
    assert kamp(monkeypatch, "tenant", "list") == 1
    assert capsys.readouterr().err.startswith("stopped")
