"""The page about security names tests; they exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_test_that_the_page_names_exists() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    there: set[str] = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        text = file.read_text(encoding="utf-8")
        there.update(re.findall(r"^(?:async )?def (test_\w+)\(", text, re.MULTILINE))
    assert len(named) > 80
    assert named - there == set()


def test_every_wall_has_its_attack_on_the_page() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rooms = ["files", "processes", "network", "kernel", "limits", "disk"]
    for room in rooms:
        text = (ROOT / f"tests/hub/walls/test_walls_{room}.py").read_text("utf-8")
        tests = re.findall(r"^def (test_\w+)\(", text, re.MULTILINE)
        assert sum(name in page for name in tests) >= len(tests) // 2
