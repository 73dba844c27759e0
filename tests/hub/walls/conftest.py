"""The grounds on which walls are attacked, once as root's hub and once as anyone's."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub.walls.walled import Grounds, make_grounds

from kamp_lib.hub.walls import inspect_walls


@pytest.fixture(scope="session")
def _walls() -> None:
    """The walls of this machine; in CI they have to be there."""
    walls = inspect_walls()
    if not walls.stand:
        missing = "; ".join(problem.text.en for problem in walls.problems)
        if os.environ.get("CI"):
            pytest.fail(f"no walls on this machine: {missing}")
        pytest.skip(missing)


@pytest.fixture
def open_home() -> Iterator[Path]:
    """A KAMP_HOME that the companies' users could reach, if nothing else held them."""
    home = Path(tempfile.mkdtemp(prefix="kamp-walls-"))
    home.chmod(0o755)
    yield home
    shutil.rmtree(home)


@pytest.fixture(params=["root", "ordinary"])
def grounds(
    request: pytest.FixtureRequest,
    open_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    _walls: None,
) -> Grounds:
    """Two companies, acme and bolt, on a hub run by root and by an ordinary user."""
    as_root = request.param == "root"
    if as_root and os.geteuid() != 0:
        pytest.skip("only root can be root's hub")
    monkeypatch.setenv("KAMP_HOME", str(open_home))
    return make_grounds(open_home, as_root=as_root)
