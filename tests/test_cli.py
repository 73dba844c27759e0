"""The command as people and scripts meet it: words, JSON and exit status."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kamp_lib.cli import _app


def verbs(group: Any, *path: str) -> Iterator[tuple[str, ...]]:
    """Every verb there is: ("tenant", "add"), ("run",), …"""
    for name, verb in getattr(group, "commands", {}).items():
        below = list(verbs(verb, *path, name))
        yield from below or [(*path, name)]


VERBS = list(verbs(_app()))


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_explains_itself_with_an_example(
    kamp, verb: tuple[str, ...]
) -> None:
    said = kamp(*verb, "--help")
    assert said.status == 0
    assert f"kamp {' '.join(verb)}" in " ".join(said.out.split("Example")[-1].split())


def test_init_may_be_said_twice(kamp) -> None:
    assert kamp("init", "--json").json["created"] is True
    assert kamp("init", "--json").json["created"] is False


def test_a_company_that_was_added_is_listed(kamp) -> None:
    assert kamp("tenant", "add", "acme", "에이스", "--equipment", "press").status == 0
    listed = kamp("tenant", "list", "--json").json
    assert [(t["slug"], t["name_ko"], t["equipment"]) for t in listed] == [
        ("acme", "에이스", ["press"])
    ]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["tenant", "add", "No Slug", "x"], 2),
        (["tenant", "add", "acme", "x", "--equipment", "teapot"], 1),
        (["models", "show", "teapot"], 2),
        (["ingest", "nobody", "press", "x.csv"], 1),
        (["ingest", "haneul-mold"], 2),
        (["ingest", "haneul-mold", "teapot", "x.csv"], 1),
        (["ingest", "haneul-mold", "press", "missing.csv"], 1),
        (["ingest", "--undo", "haneul-mold", "missing"], 1),
        (["datasets", "nobody"], 1),
        (["datasets"], 2),
        (["run", "haneul-mold"], 2),
        (["run", "haneul-mold", "teapot"], 2),
        (["run", "haneul-mold", "injection-quality", "-p", "x"], 2),
        (["run", "haneul-mold", "injection-quality", "-p", "x=1"], 2),
        (["run", "haneul-mold", "injection-quality"], 1),
        (["show", "haneul-mold", "latest"], 1),
        (["publish", "haneul-mold", "latest"], 1),
        (["export", "haneul-mold", "latest"], 2),
        (["no-such-verb"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_a_mistake_is_told_on_stderr_without_a_traceback(
    kamp, tenant, arguments: list[str], status: int
) -> None:
    said = kamp(*arguments)
    assert said.status == status
    assert said.out == ""
    assert said.err.strip()
    assert "Traceback" not in said.err
    assert "unexpected" not in said.err


def test_the_catalogue_as_json_has_the_first_four_models(kamp) -> None:
    ids = {model["id"] for model in kamp("models", "list", "--json").json}
    assert {
        "injection-quality",
        "cnc-machining-quality",
        "press-die-breakage",
        "machine-vision-surface",
    } <= ids


def test_korean_is_what_people_read_by_default() -> None:
    command = [sys.executable, "-m", "kamp_lib.cli", "datasets", "nobody"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "기업 'nobody'가 없습니다" in done.stderr


def test_help_starts_without_the_heavy_libraries() -> None:
    code = (
        "import sys; sys.argv = ['kamp', '--help']\n"
        "from kamp_lib.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'pandas', 'xgboost', 'papermill', 'matplotlib', 'pyarrow'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_inside_a_workspace_the_company_may_be_left_out(
    kamp, tenant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KAMP_TENANT_HOME", str(tenant.home))
    assert kamp("datasets", "--json").json == []
    assert kamp("run", "injection-quality").status == 1
    assert kamp("run", tenant.slug, "injection-quality").status == 1
