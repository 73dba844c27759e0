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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from pydantic_core import to_json

from kamp_lib.console import harmless
from kamp_lib.errors import KampError
from kamp_lib.hub import bubblewrap, cgroups
from kamp_lib.hub.hearing import as_error, died, last_lines, messages, shown
from kamp_lib.hub.inside import Failure, Result, Step
from kamp_lib.hub.left_over import held
from kamp_lib.hub.places import Places
from kamp_lib.hub.profile import Kind, Limits, profile
from kamp_lib.hub.walls import inspect_walls
from kamp_lib.progress import Progress, silent
from kamp_lib.reports.exporting import written_whole
from kamp_lib.runs import Bundle, open_run
from kamp_lib.settings import person, settings
from kamp_lib.tenancy import Plan, Sme, Tenant, open_registry
from kamp_lib.text import language

LARGEST_EXPORT = 2 * 2**30
BLOCK = 2**20
# How long an interrupted job may take to tidy up.
TIDY_S = 15
THREADS = ("KAMP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class JobLimits:
    """What one job may take, where that is less than the company's plan and settings."""

    memory_mb: int | None = None
    run_s: int | None = None
    threads: int | None = None

    def within(self, limits: Limits) -> Limits:
        """A server's limits with no more memory than this."""
        most = limits.memory_mb if self.memory_mb is None else self.memory_mb
        return replace(limits, memory_mb=min(most, limits.memory_mb))

    def threads_within(self, env: Mapping[str, str]) -> dict[str, str]:
        """A server's environment for no more threads than this.

        Several jobs that each start a thread per processor stand in each other's way.
        """
        if self.threads is None:
            return {}
        threads = str(min(self.threads, int(env["KAMP_THREADS"])))
        return dict.fromkeys(THREADS, threads)


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
    with started(tenant, argv, out=out, err=err) as (process, _):
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
    pipe = subprocess.PIPE
    with started(tenant, argv, out=pipe, err=pipe) as (process, there):
        complaints = last_lines(process.stderr)
        result: str | None = None
        for message in messages(process.stdout):
            if isinstance(message, Step):
                progress(shown(message.step), done=message.done, total=message.total)
            elif isinstance(message, Failure):
                raise as_error(message)
            elif isinstance(message, Result):
                result = message.result
        status = process.wait()
        if result is None:
            raise died(status, complaints)
        yield result, there.run


@contextmanager
def started(
    tenant: Tenant,
    argv: Sequence[str],
    *,
    out: Any,
    err: Any,
    into: Any = subprocess.DEVNULL,
    limits: JobLimits = JobLimits(),
) -> Iterator[tuple[subprocess.Popen[bytes], Places]]:
    """A command at work inside; it, and all it made, is gone at the end of the block."""
    name = f"job-{secrets.token_hex(4)}"
    home = tenant.home.absolute().parents[1]
    walled = profile(
        *(sme_of(tenant), tenant, Kind.JOB),
        server=name,
        command=argv,
        env=environment(limits),
    )
    # (the limits of the company as a whole stay what they are)
    walled = replace(
        walled,
        limits=limits.within(walled.limits),
        env={**walled.env, **limits.threads_within(walled.env)},
    )
    there = bubblewrap.prepare(walled, home)
    try:
        command = bubblewrap.command_line(walled, home).ending_with_its_parent()
        with held(there):
            process = command.start(
                limits=cgroups.enter(walled), stdin=into, stdout=out, stderr=err
            )
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


def environment(limits: JobLimits) -> dict[str, str]:
    """The settings that hold for a job, as they stand out here."""
    now = settings()
    chosen = {
        "KAMP_LANG": language(),
        "KAMP_PERSON": person(),
        "KAMP_TEMPLATES": str(now.templates.absolute()),
        "KAMP_RUN_TIMEOUT": str(limits.run_s or now.run_timeout),
        "KAMP_MAPPING_SURE": str(now.mapping_sure),
        "KAMP_FAST_KERNELS": now.fast_kernels_told,
    }
    if now.chromium is not None:
        chosen["KAMP_CHROMIUM"] = now.chromium
    return chosen


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
