"""One job in a real process: what it says, and when it stops."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from kamp_lib.tenancy import Tenant

pytestmark = pytest.mark.e2e


def environment(company: Tenant) -> dict[str, str]:
    return {**os.environ, "KAMP_TENANT_HOME": str(company.home), "KAMP_PERSON": "ann"}


def work(company: Tenant, **request: Any) -> tuple[dict[str, Any], str]:
    """The last word of a job, and its stderr."""
    process = subprocess.Popen(
        [sys.executable, "-m", "kamp_lib.workspace.work"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(company),
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdin.write(json.dumps(request).encode() + b"\n")
    process.stdin.flush()  # and left open: the server is there
    lines = process.stdout.read().splitlines()
    said = process.stderr.read().decode()
    process.stdin.close()
    process.wait()
    return json.loads(lines[-1]), said


def test_an_error_of_ours_is_a_sentence_in_both_languages(company: Tenant) -> None:
    last, said = work(company, task="look", equipment="generic", files=["/nowhere.csv"])
    assert set(last["error"]) == {"ko", "en"}
    assert "Traceback" not in said


def test_any_other_error_is_a_sentence_and_the_rest_goes_to_the_log(
    company: Tenant,
) -> None:
    last, said = work(company, task="no such task")
    assert "예상하지 못한" in last["error"]["ko"]
    assert "Traceback" in said


def test_a_job_stops_when_its_server_is_gone(company: Tenant) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "kamp_lib.workspace.work"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**environment(company), "KAMP_DEBUG": "1"},
    )
    assert process.stdin
    request = {"task": "look", "equipment": "generic", "files": ["/dev/stdin"]}
    process.stdin.write(json.dumps(request).encode() + b"\n")
    process.stdin.close()
    assert process.wait(timeout=60) != 0
