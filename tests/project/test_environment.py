"""What the project says about itself in several places has to agree."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
# conda-forge's name where it differs
CONDA_NAMES = {"python-duckdb": "duckdb"}


def _requirement(line: str) -> tuple[str, str]:
    name, ranges = re.fullmatch(r"([A-Za-z0-9_.-]+)(.*)", line.strip()).groups()
    return name.lower(), ",".join(sorted(ranges.replace(" ", "").split(",")))


def _project() -> dict[str, str]:
    with open(ROOT / "pyproject.toml", "rb") as file:
        lines = tomllib.load(file)["project"]["dependencies"]
    kept = [line for line in lines if "== 'darwin'" not in line]
    return dict(_requirement(line.split(";")[0]) for line in kept)


def test_environment_yml_asks_for_what_pyproject_asks_for() -> None:
    env = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    conda = [line for line in env if isinstance(line, str)]
    pip = next(item["pip"] for item in env if isinstance(item, dict))
    lines = [line for line in conda + pip if not line.startswith("-")]
    asked = dict(_requirement(line) for line in lines)
    # the proxy is an npm package, locked in deploy/proxy; conda has it, too
    for name in ("python", "pip", "configurable-http-proxy"):
        asked.pop(name, None)
    assert {CONDA_NAMES.get(n, n): r for n, r in asked.items()} == _project()


def test_the_lock_has_every_dependency_with_hashes_and_names_no_index() -> None:
    text = (ROOT / "requirements.lock").read_text()
    locked = {m.lower() for m in re.findall(r"^([A-Za-z0-9_.-]+)==", text, re.M)}
    assert set(_project()) <= locked
    assert "://" not in text
    assert "find-links" not in text
    entries = re.split(r"\n(?=\S)", text.strip())
    pinned = [e for e in entries if "==" in e.split("\n")[0]]
    assert all("--hash=sha256:" in entry for entry in pinned)


def _notebooks() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard", "*.ipynb"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name]


@pytest.mark.parametrize("path", _notebooks(), ids=lambda p: p.name)
def test_a_notebook_is_committed_without_outputs(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [c for c in cells if c["cell_type"] == "code"]
    assert not any(c["outputs"] or c["execution_count"] for c in code)


def test_the_readmes_commands_exist_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for readme in ("README.md", "README.en.md"):
        commands = re.findall(r"^\s*make ([a-z-]+)", (ROOT / readme).read_text(), re.M)
        assert commands
        assert set(commands) <= targets
