"""Work of the host inside a company's walls: what comes out is checked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kamp_lib.errors import KampError, UsageError
from kamp_lib.hub import jobs
from kamp_lib.hub.walls import inspect_walls
from kamp_lib.settings import settings
from kamp_lib.tenancy import Tenant, open_registry
from kamp_lib.text import Text

pytestmark = pytest.mark.skipif(
    not inspect_walls().stand and not os.environ.get("CI"),
    reason="this machine has no walls",
)
BUNDLE = "20261121-010203-injection-quality-ab12cd"
Says = Callable[[str], None]


@pytest.fixture
def company() -> Tenant:
    open_registry().add_sme("acme", "에이크미", plan="standard")
    open_registry().add_sme("bolt", "볼트", plan="standard")
    (settings().home / "tenants" / "bolt" / "data" / "secret").write_text("secret")
    from kamp_lib.tenancy import tenant_named

    return tenant_named("acme")


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Says:
    """Let a hostile program speak in the place of ours, from inside the real walls."""
    started = jobs.started

    def put(source: str) -> None:
        @contextmanager
        def instead(
            tenant: Tenant, argv: list[str], **pipes: object
        ) -> Iterator[object]:
            with started(
                tenant, [sys.executable, "-IS", "-c", source], **pipes
            ) as both:  # type: ignore[arg-type]
                yield both

        monkeypatch.setattr(jobs, "started", instead)

    return put


def running(command: list[str] | str, tenant: Tenant) -> tuple[int, str]:
    argv = (
        [sys.executable, "-IS", "-c", command] if isinstance(command, str) else command
    )
    read, write = os.pipe()
    try:
        status = jobs.run_inside(tenant, argv, out=write)
    finally:
        os.close(write)
    with os.fdopen(read) as said:
        return status, said.read()


def test_a_command_runs_inside_and_its_status_comes_back(company: Tenant) -> None:
    source = "import os, sys; print(os.listdir('/workspace')); sys.exit(3)"
    status, said = running(source, company)
    assert status == 3
    assert set(eval(said)) == {"data", "workspace", "runs", "published", "tenant.toml"}  # noqa: S307


def test_a_job_sees_no_other_company(company: Tenant) -> None:
    goal = settings().home / "tenants" / "bolt" / "data" / "secret"
    _, said = running(f"import os; print(os.path.exists({str(goal)!r}))", company)
    assert said.strip() == "False"


def test_a_job_leaves_nothing_behind(company: Tenant) -> None:
    running("pass", company)
    assert list((settings().home / "hub" / "run" / "acme").iterdir()) == []


def test_ctrl_c_reaches_the_job_which_tidies_up(company: Tenant) -> None:
    code = (
        "import sys; from kamp_lib.hub import jobs; from kamp_lib.tenancy import tenant_named\n"
        'inner = \'import time\\ntry:\\n open("/workspace/data/on", "w"); time.sleep(60)\\n\''
        ' \'except KeyboardInterrupt: open("/workspace/data/tidied", "w")\'\n'
        "jobs.run_inside(tenant_named('acme'), [sys.executable, '-IS', '-c', inner])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    wait_for(company.data / "on")
    process.send_signal(signal.SIGINT)
    process.wait(30)
    assert (company.data / "tidied").exists()


def test_a_job_does_not_outlive_who_asked_for_it(company: Tenant) -> None:
    code = (
        "import sys; from kamp_lib.hub import jobs; from kamp_lib.tenancy import tenant_named\n"
        'inner = \'import time\\nwhile True: open("/workspace/data/on", "w"); time.sleep(.1)\'\n'
        "jobs.run_inside(tenant_named('acme'), [sys.executable, '-IS', '-c', inner])"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    wait_for(company.data / "on")
    process.kill()
    process.wait()
    time.sleep(0.5)
    (company.data / "on").unlink()
    time.sleep(0.5)
    assert not (company.data / "on").exists()


def wait_for(path: Path) -> None:
    ends = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < ends, f"{path} did not appear"
        time.sleep(0.05)


def test_what_is_said_inside_comes_out_as_progress_and_error(
    company: Tenant, says: Says
) -> None:
    says(
        """
import json, sys
print(json.dumps({"step": {"ko": "첫째", "en": "first"}, "done": 1, "total": 4}))
print(json.dumps({"failed": {"ko": "안 됩니다", "en": "no"}, "exit_status": 2}))
"""
    )
    heard: list[tuple[str, float, float | None]] = []

    def listen(step: Text, *, done: float = 0, total: float | None = None) -> None:
        heard.append((step.ko, done, total))

    with pytest.raises(UsageError, match="안 됩니다"):
        jobs.run_model(company, "injection-quality", progress=listen)
    assert heard == [("첫째", 1, 4)]


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "{}",
        '{"result": 5}',
        '{"result": "x", "more": 1}',
        '{"step": "text"}',
        '{"step": {"ko": "a", "en": "b"}, "done": NaN}',
        '{"failed": {"ko": "a", "en": "b"}, "exit_status": 0}',
        "[" * 10_000,
        "x" * 100_000,
    ],
)
def test_what_is_no_message_is_not_believed(
    company: Tenant, says: Says, line: str
) -> None:
    says(f"print({line!r})")
    with pytest.raises(KampError, match="작업이 끝나지 못했습니다"):
        jobs.run_model(company, "injection-quality")


def test_words_from_inside_do_not_steer_the_terminal(
    company: Tenant, says: Says
) -> None:
    evil = json.dumps(
        {"failed": {"ko": "\x1b[2J\x07가짜", "en": "x"}, "exit_status": 1}
    )
    says(f"print({evil!r})")
    with pytest.raises(KampError) as caught:
        jobs.run_model(company, "injection-quality")
    assert "\x1b" not in str(caught.value)
    assert "가짜" in str(caught.value)


@pytest.mark.parametrize("name", ["../../../bolt/data/secret", "/etc/passwd", "..", ""])
def test_a_result_that_is_no_run_of_the_company_is_refused(
    company: Tenant, says: Says, name: str
) -> None:
    says(f"import json; print(json.dumps({{'result': {name!r}}}))")
    with pytest.raises(KampError):
        jobs.run_model(company, "injection-quality")


@pytest.mark.parametrize(
    "deed",
    [
        "os.symlink('/etc/shadow', there)",
        "os.symlink('../../../tenants/bolt/data/secret', there)",
        "os.mkfifo(there)",
        "os.mkdir(there)",
        "socket.socket(socket.AF_UNIX).bind(there)",
        "pass",
    ],
)
def test_only_a_plain_file_is_taken_out(
    company: Tenant, says: Says, deed: str, tmp_path: Path
) -> None:
    says(
        "import json, os, socket; there = '/run/kamp/server/export.html'\n"
        f"{deed}; print(json.dumps({{'result': 'export.html'}}))"
    )
    with pytest.raises(KampError, match="일반 파일"):
        jobs.export_run(company, BUNDLE, tmp_path / "out.html")
    assert list(tmp_path.glob("*.html")) == []


def test_a_name_that_leads_elsewhere_is_not_taken_out(
    company: Tenant, says: Says, tmp_path: Path
) -> None:
    says("import json; print(json.dumps({'result': '../../../../platform.db'}))")
    with pytest.raises(KampError, match="일반 파일"):
        jobs.export_run(company, BUNDLE, tmp_path / "out.html")


def test_a_file_larger_than_any_export_is_not_taken_out(
    company: Tenant, says: Says, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LARGEST_EXPORT", 1000)
    says(
        "import json; open('/run/kamp/server/export.html', 'w').write('x' * 2000)\n"
        "print(json.dumps({'result': 'export.html'}))"
    )
    with pytest.raises(KampError, match="일반 파일"):
        jobs.export_run(company, BUNDLE, tmp_path / "out.html")
    assert list(tmp_path.glob("*.html")) == []


def test_a_plain_file_is_taken_out_whole(
    company: Tenant, says: Says, tmp_path: Path
) -> None:
    says(
        "import json; open('/run/kamp/server/export.html', 'w').write('<p>')\n"
        "print(json.dumps({'result': 'export.html'}))"
    )
    jobs.export_run(company, BUNDLE, tmp_path / "out.html")
    assert (tmp_path / "out.html").read_text() == "<p>"


def test_a_job_killed_for_its_memory_says_so(company: Tenant, says: Says) -> None:
    says("import os; os.kill(os.getpid(), 9)")
    with pytest.raises(KampError, match="메모리"):
        jobs.run_model(company, "injection-quality")


def test_inside_a_workspace_no_further_walls_are_entered(
    company: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert jobs.walls_needed()
    monkeypatch.setenv("KAMP_TENANT_HOME", str(company.home))
    assert not jobs.walls_needed()


def test_a_folder_without_a_row_gets_a_user_of_its_own(tenant: Tenant) -> None:
    if os.geteuid() != 0:
        pytest.skip("an ordinary user is the owner of all files")
    assert jobs.sme_of(tenant).uid == open_registry().sme(tenant.slug).uid


def test_what_root_ingests_on_the_host_becomes_the_companys(
    company: Tenant, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("an ordinary user is the owner of all files")
    running("pass", company)
    file = tmp_path / "shots.csv"
    file.write_text("time,pressure\n2026-01-01 00:00:00,1\n2026-01-01 00:00:10,2\n")
    command = ["ingest", "acme", "generic", str(file), "--dataset", "shots", "--yes"]
    subprocess.run([sys.executable, "-m", "kamp_lib.cli", *command], check=True)
    owners = {path.lstat().st_uid for path in company.data.rglob("*")}
    assert owners == {open_registry().sme("acme").uid}


def test_a_data_set_that_is_not_there_is_said_from_inside(company: Tenant) -> None:
    with pytest.raises(KampError, match="데이터셋"):
        jobs.run_model(company, "injection-quality", dataset="nothing")
