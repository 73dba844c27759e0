"""Work of the host on one company's data, done inside that company's walls.

`kamp run` and `kamp export` load tables, models and notebooks that a company may have
tampered with. The host starts a job in the same sandbox as a workspace (without the hub)
and takes from it checked messages and, for an export, one plain file.
"""

from __future__ import annotations

import os
import secrets
import signal
import stat
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from kamp_lib.console import harmless
from kamp_lib.errors import KampError, UsageError
from kamp_lib.hub import bubblewrap, cgroups
from kamp_lib.hub.inside import Failure, Message, Result, Step
from kamp_lib.hub.places import Places
from kamp_lib.hub.profile import Kind, profile
from kamp_lib.hub.walls import inspect_walls
from kamp_lib.progress import Progress, silent
from kamp_lib.reports.exporting import written_whole
from kamp_lib.runs import Bundle, open_run
from kamp_lib.settings import settings
from kamp_lib.tenancy import Plan, Sme, Tenant, open_registry
from kamp_lib.text import Text, language

LONGEST_LINE = 64 * 1024
LARGEST_EXPORT = 2 * 2**30
BLOCK = 2**20
# How long an interrupted job may take to tidy up.
TIDY_S = 15
TOLD_LINES = 5
MESSAGES: TypeAdapter[Message] = TypeAdapter(Message)


def walls_needed() -> bool:
    """Whether this process stands outside companies' walls and could enter them."""
    return settings().tenant_home is None and inspect_walls().stand


def run_model(
    tenant: Tenant,
    model: str,
    *,
    dataset: str | None = None,
    version: int | None = None,
    parameters: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> Bundle:
    """Run a standard model inside the company's walls and open its bundle.

    Raises
    ------
    KampError
        As `kamp_lib.runs.execute` does, with what was said inside.
    """
    request = {
        **{"model": model, "dataset": dataset, "version": version},
        "parameters": dict(parameters or {}),
    }
    with _job(tenant, "run", request, progress) as (made, _):
        return open_run(tenant, made)


def export_run(
    tenant: Tenant, run: str, to: Path, *, progress: Progress = silent
) -> None:
    """Write the report of a run to `to`, made inside the company's walls.

    Raises
    ------
    KampError
        As `kamp_lib.reports.export` does, or when what was handed out is no plain file.
    """
    request = {"run": run, "suffix": to.suffix.lower()}
    with (
        written_whole(to) as partial,
        _job(tenant, "export", request, progress) as (made, run_folder),
    ):
        _take_out(run_folder, made, partial)


def run_inside(
    tenant: Tenant,
    argv: Sequence[str],
    *,
    out: IO[bytes] | int | None = None,
    err: IO[bytes] | int | None = None,
) -> int:
    """Run any command inside the company's walls; returns its exit status.

    Ctrl-C is passed on, and the command does not outlive this process.
    """
    with _started(tenant, argv, out=out, err=err) as (process, _):
        return process.wait()


@contextmanager
def _job(
    tenant: Tenant, deed: str, request: dict[str, Any], progress: Progress
) -> Iterator[tuple[str, Path]]:
    """Do something inside; gives its result and the folder in which it left files."""
    argv = [
        sys.executable,
        "-m",
        "kamp_lib.hub.inside",
        deed,
        to_json(request).decode(),
    ]
    pipes = {"out": subprocess.PIPE, "err": subprocess.PIPE}
    with _started(tenant, argv, **pipes) as (process, there):
        complaints = _listen(process.stderr)
        result: str | None = None
        for message in _messages(process.stdout):
            if isinstance(message, Step):
                progress(_shown(message.step), done=message.done, total=message.total)
            elif isinstance(message, Failure):
                raise _as_error(message)
            elif isinstance(message, Result):
                result = message.result
        status = process.wait()
        if result is None:
            raise _died(status, complaints)
        yield result, there.run


@contextmanager
def _started(
    tenant: Tenant, argv: Sequence[str], *, out: Any, err: Any
) -> Iterator[tuple[subprocess.Popen[bytes], Places]]:
    """A command at work inside; it, and all it made, is gone at the end of the block."""
    name = f"job-{secrets.token_hex(4)}"
    home = tenant.home.absolute().parents[1]
    walled = profile(
        *(sme_of(tenant), tenant, Kind.JOB),
        server=name,
        command=argv,
        env=_environment(),
    )
    there = bubblewrap.prepare(walled, home)
    try:
        command = bubblewrap.command_line(walled, home).ending_with_its_parent()
        process = command.start(limits=cgroups.enter(walled), stdout=out, stderr=err)
        try:
            yield process, there
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=TIDY_S)
            raise
        finally:
            process.kill()
            process.wait()
    finally:
        cgroups.remove(walled.tenant, name)
        there.remove()


def sme_of(tenant: Tenant) -> Sme:
    """The company's row; without a registry, a company that may use this machine.

    Root needs the company's user id, so a folder without a row gets one.
    """
    as_root = os.geteuid() == 0
    database = settings().home / "platform.db"
    here = tenant.home.absolute().parents[1] == settings().home.absolute()
    if here and (as_root or settings().database or database.is_file()):
        registry = open_registry()
        if tenant.slug not in {sme.slug for sme in registry.smes()}:
            registry.adopt()
        return registry.sme(tenant.slug)
    uid = tenant.data.lstat().st_uid if as_root else None
    return Sme(
        slug=tenant.slug,
        name=tenant.name,
        industry="",
        equipment=tenant.equipment,
        time_zone=tenant.time_zone,
        plan=_whole_machine(),
        status="active",
        uid=uid or (settings().uid_base if as_root else None),
    )


def _whole_machine() -> Plan:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    cpus = os.cpu_count() or 1
    return Plan("machine", memory, cpus, processes=4096, disk_gb=2**20, servers=1)


def _environment() -> dict[str, str]:
    """The settings that hold for a job, as they stand out here."""
    now = settings()
    chosen = {
        "KAMP_LANG": language(),
        "KAMP_TEMPLATES": str(now.templates.absolute()),
        "KAMP_RUN_TIMEOUT": str(now.run_timeout),
        "KAMP_MAPPING_SURE": str(now.mapping_sure),
    }
    if now.chromium is not None:
        chosen["KAMP_CHROMIUM"] = now.chromium
    return chosen


def _messages(stream: IO[bytes] | None) -> Iterator[Message]:
    """What is said inside, as far as it is a message at all."""
    assert stream is not None  # noqa: S101 - asked for above
    while line := stream.readline(LONGEST_LINE):
        with suppress(ValidationError):
            yield MESSAGES.validate_json(line)


def _listen(stream: IO[bytes] | None) -> deque[str]:
    """The last lines of a stream, read beside so that it never fills up."""
    assert stream is not None  # noqa: S101 - asked for above
    last: deque[str] = deque(maxlen=TOLD_LINES)

    def read() -> None:
        with suppress(ValueError):  # closed while we read
            while line := stream.readline(LONGEST_LINE):
                last.append(harmless(line.decode("utf-8", "replace").strip()))

    threading.Thread(target=read, daemon=True).start()
    return last


def _shown(text: Text) -> Text:
    return Text(harmless(text.ko), harmless(text.en))


def _as_error(message: Failure) -> KampError:
    kind = UsageError if message.exit_status == UsageError.exit_status else KampError
    return kind(harmless(message.failed.ko), harmless(message.failed.en))


def _died(status: int, complaints: Sequence[str]) -> KampError:
    """The job ended without a word: killed, most likely for its memory."""
    if status in (-signal.SIGKILL, 128 + signal.SIGKILL):
        return KampError(
            "작업이 강제로 멈췄습니다. 메모리가 부족했을 수 있습니다:"
            " 데이터를 나누거나 요금제의 메모리를 늘리세요.",
            "the job was killed; it may have run out of memory: use less data or a"
            " larger plan.",
        )
    said = " / ".join(complaints) or f"exit {status}"
    return KampError(
        f"작업이 끝나지 못했습니다: {said}", f"the job did not finish: {said}"
    )


def _take_out(folder: Path, name: str, to: Path) -> None:
    """Copy one plain file out of a folder in which the company may have put anything."""
    if name != Path(name).name:
        raise _no_file(name)
    try:
        handle = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise _no_file(name) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _no_file(name)
    with os.fdopen(handle, "rb") as source, to.open("wb") as target:
        left = LARGEST_EXPORT
        while block := source.read(BLOCK):
            left -= len(block)
            if left < 0:
                raise _no_file(name)
            target.write(block)


def _no_file(name: str) -> KampError:
    shown = harmless(name)
    return KampError(
        f"내보낸 것이 일반 파일이 아니어서 받지 않았습니다: {shown}",
        f"what was exported is no plain file, so it was not taken: {shown}",
    )
