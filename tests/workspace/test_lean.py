"""What a workspace's server does without while it starts, and that nobody misses it."""

from __future__ import annotations

import gc
import importlib.util
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import jupyter_events
import jupyter_server
import jupyterlab
import pytest
from jupyterlab import commands

from kamp_lib.workspace.lab import NOT_LOADED, lab_arguments
from kamp_lib.workspace.lean import DISPENSABLE, NAMED_ONLY, hurrying

START = """
import gc, json, sys
started = []
sys.addaudithook(lambda event, _: started.append(event) if event == "subprocess.Popen" else None)
from kamp_lib.workspace import server
server.serve = lambda: None
server.main()
print(json.dumps({
    "modules": [name for name, module in sys.modules.items() if module is not None],
    "programs": len(started),
    "garbage": gc.isenabled(),
}))
"""


@pytest.fixture(scope="module")
def started() -> dict[str, object]:
    """What is there when the server has imported all it needs."""
    done = subprocess.run(
        [sys.executable, "-c", START], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_the_grammar_of_web_addresses_is_not_built(
    started: dict[str, list[str]],
) -> None:
    assert "rfc3987_syntax" not in started["modules"]
    assert "jupyter_events.logger" in started["modules"]


def test_no_program_is_started_by_imports(started: dict[str, int]) -> None:
    assert started["programs"] == 0


def test_modules_that_were_left_out_can_be_imported_afterwards() -> None:
    script = """
from kamp_lib.workspace import server
server.serve = lambda: None
server.main()
import jupyterhub.handlers.pages, isoduration, sqlalchemy.exc, webcolors
from jupyterhub import orm, scopes
print(scopes.orm.User is orm.User, scopes.sa.select is sqlalchemy.select)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True True\n"


def test_no_schema_of_events_has_a_format_whose_checker_is_left_out() -> None:
    left_out = {"iri", "iri-reference", "duration", "color", "hostname", "uri-template"}
    packages = (jupyter_events, jupyter_server, jupyterlab)
    folders = [Path(m.__file__).parent for m in packages]
    schemas = [f for folder in folders for f in folder.rglob("*event*/**/*.y*ml")]
    schemas += folders[0].rglob("*.y*ml")
    assert schemas
    for schema in schemas:
        said = set(re.findall(r"format: *[\"']?([a-z-]+)", schema.read_text()))
        assert not said & left_out, schema


def test_garbage_is_collected_again_afterwards(started: dict[str, bool]) -> None:
    assert started["garbage"]


def test_garbage_is_collected_again_after_an_error() -> None:
    with pytest.raises(RuntimeError), hurrying():
        raise RuntimeError
    assert gc.isenabled()
    gc.unfreeze()


def test_what_is_left_out_is_still_there_to_be_left_out() -> None:
    for name in (*DISPENSABLE, *NAMED_ONLY):
        assert importlib.util.find_spec(name), name
    assert "_yarn_config(self.logger)" in inspect.getsource(commands)
    [parameter] = inspect.signature(commands._yarn_config).parameters
    assert parameter == "logger"


@pytest.mark.parametrize("name", NOT_LOADED)
def test_extensions_that_are_not_loaded_are_installed(name: str) -> None:
    assert importlib.util.find_spec(name)
    assert f"--ServerApp.jpserver_extensions={name}=False" in lab_arguments("ko")


JUDGE = """
import json
from jupyterhub.services.auth import HubOAuth
needed = {"access:servers!server=acme/ann"}
held = [
    [], ["access:servers!server=acme/ann"], ["access:servers!server=acme/bob"],
    ["access:servers!user=acme"], ["access:servers!user=bolt"], ["access:servers"],
    ["read:servers!server=acme/ann"], ["access:servers!group=all"], ["access:services"],
]
judge = HubOAuth(api_token="x")
print(json.dumps([sorted(judge.check_scopes(needed, {"scopes": s})) for s in held]))
"""


def test_who_may_come_in_is_judged_as_by_all_of_jupyterhub() -> None:
    lean = """
from kamp_lib.workspace import server
server.serve = lambda: None
server.main()
"""
    said = []
    for before in ("", lean):
        command = [sys.executable, "-W", "ignore", "-c", before + JUDGE]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        said.append(json.loads(done.stdout.splitlines()[-1]))
    assert said[0] == said[1]
    assert [bool(scopes) for scopes in said[1]] == [
        *(False, True, False, True, False, True),
        *(False, False, False),
    ]
