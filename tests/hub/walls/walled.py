"""Two companies on disk, and code run inside the real walls of one of them."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kamp_lib.hub import bubblewrap, cgroups, places
from kamp_lib.hub.bubblewrap import CommandLine, python_folders
from kamp_lib.hub.profile import Kind, Profile, profile
from kamp_lib.tenancy import Plan, Sme, Tenant, add_tenant

# Ids that no account of a machine has, and no other worker of these tests: the kernel
# counts all processes of an id together, and a fork bomb would end another's server.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
ROOTS_BASE = 1_900_000_001 + 1_000 * _WORKER
ORDINARY = ROOTS_BASE + 899
PLAN = Plan("test", memory_mb=600, cpus=1, processes=64, disk_gb=1, servers=4)
MARK = "of another company"
PRELUDE = """
import errno, json, os, sys
def attempt(deed):
    "What came of it: ok and its value, or the name of the error."
    try:
        return ["ok", deed()]
    except OSError as error:
        return [errno.errorcode.get(error.errno, str(error)), None]
def call(number, *arguments):
    "A system call by its number."
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    # the address of a buffer where a call may want one: nothing faults
    done = libc.syscall(ctypes.c_long(number), *(ctypes.c_ulong(a) for a in arguments))
    if done < 0:
        raise OSError(ctypes.get_errno(), "")
    return done
result = None
"""
FINALE = "\nprint('RESULT', json.dumps(result), flush=True)\n"
Change = Callable[[list[str]], list[str]]


@dataclass(frozen=True)
class Outcome:
    """What code in a sandbox brought back."""

    status: int
    out: str
    err: str

    @property
    def result(self) -> Any:
        """What the code left in `result`."""
        lines = [x for x in self.out.splitlines() if x.startswith("RESULT ")]
        assert lines, f"no result (status {self.status}): {self.err}{self.out}"
        return json.loads(lines[-1].removeprefix("RESULT "))


@dataclass(frozen=True)
class Grounds:
    """A KAMP_HOME with two companies, on which a hub stands that root or another runs."""

    home: Path
    as_root: bool
    acme: Tenant
    bolt: Tenant

    def profile(
        self,
        tenant: Tenant | None = None,
        kind: Kind = Kind.WORKSPACE,
        *,
        server: str = "ann",
        source: str = "",
        env: dict[str, str] | None = None,
        plan: Plan = PLAN,
    ) -> Profile:
        """The profile of a server that runs `source`."""
        tenant = tenant or self.acme
        number = ROOTS_BASE + (tenant.slug == "bolt")
        sme = Sme(
            *(tenant.slug, tenant.name, "", (), "Asia/Seoul", plan, "active", number)
        )
        code = PRELUDE + textwrap.dedent(source) + FINALE
        # no `site`: a plain interpreter starts in a tenth of the time
        command = [sys.executable, "-IS", "-c", code]
        return profile(sme, tenant, kind, server=server, command=command, env=env or {})

    def command(self, walled: Profile, *, port: int | None = None) -> CommandLine:
        """Its command line, made ready to start."""
        with self._as_the_hub():
            bubblewrap.prepare(walled, self.home)
            line = bubblewrap.command_line(walled, self.home, port=port)
        if self.as_root or os.geteuid() != 0:
            return line
        for folder in (self.home / "hub", self.home / "tenants"):
            _chown(folder, ORDINARY)
        return Ordinary(**vars(line))

    def start(
        self,
        walled: Profile,
        *,
        port: int | None = None,
        without: Change | None = None,
        limited: bool = False,
        **popen: Any,
    ) -> subprocess.Popen[bytes]:
        """Start the server; `without` takes a wall away from its command line."""
        line = self.command(walled, port=port)
        if "stdout" in popen:
            line = replace(line, name="")
        if without is not None:
            line = replace(line, server=tuple(without(list(line.server))))
        limits = cgroups.enter(walled) if limited else ()
        return line.start(limits=limits, **popen)

    def inside(
        self,
        walled: Profile | str,
        *,
        without: Change | None = None,
        limited: bool = False,
        timeout: float = 60,
    ) -> Outcome:
        """Run the profile's code (or `source` as ann of acme) and wait for its end."""
        if isinstance(walled, str):
            walled = self.profile(source=walled)
        process = self.start(
            walled,
            without=without,
            limited=limited,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            out, err = process.communicate(timeout=timeout)
        finally:
            process.kill()
            process.wait()
            if limited:
                cgroups.remove(walled.tenant, walled.server)
        return Outcome(process.returncode, out.decode(), err.decode())

    @contextmanager
    def _as_the_hub(self) -> Iterator[None]:
        """Be the user who runs the hub, as far as making a command line goes."""
        if self.as_root or os.geteuid() != 0:
            yield
            return
        before = places.os.geteuid, places.os.getuid, places.os.getgid
        try:
            os.geteuid = os.getuid = os.getgid = lambda: ORDINARY  # type: ignore[assignment]
            yield
        finally:
            os.geteuid, os.getuid, os.getgid = before


@dataclass(frozen=True)
class Ordinary(CommandLine):
    """The command line, started by somebody who is not root.

    Where Python and the checkout lie is made passable first.
    """

    def argv(self, limits: Sequence[Path] = ()) -> list[str]:
        return as_somebody_else(super().argv(limits))


def as_somebody_else(command: Sequence[str]) -> list[str]:
    """A command as root would have an ordinary user run it."""
    who = [f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups"]
    steps = [
        *_passable(python_folders()),
        f"exec {shlex.join(['setpriv', *who, *command])}",
    ]
    return ["/usr/bin/unshare", "--mount", "sh", "-c", " && ".join(steps)]


def _passable(folders: Sequence[Path]) -> list[str]:
    """Commands after which anybody may reach these folders, for whoever sees the mounts.

    Python and the checkout may lie in folders that only root can enter.
    """
    closed = {
        next(
            above for above in reversed(folder.parents) if not above.stat().st_mode & 1
        )
        for folder in folders
        if any(not above.stat().st_mode & 1 for above in folder.parents)
    }
    hidden = [f for f in folders if any(f.is_relative_to(above) for above in closed)]
    if not hidden:
        return []
    names = {shlex.quote(str(f)): f"/mnt/{n}" for n, f in enumerate(hidden)}
    return [
        "mount -t tmpfs none /mnt",
        *(
            f"mkdir {aside} && mount --bind {name} {aside}"
            for name, aside in names.items()
        ),
        *(f"mount -t tmpfs -o mode=755 none {shlex.quote(str(c))}" for c in closed),
        *(
            f"mkdir -p {name} && mount --bind {aside} {name}"
            for name, aside in names.items()
        ),
    ]


def _chown(folder: Path, uid: int) -> None:
    for path in (folder, *folder.rglob("*")):
        os.lchown(path, uid, uid)


def make_grounds(home: Path, *, as_root: bool) -> Grounds:
    """The two companies; something of bolt's that acme must never see."""
    acme = add_tenant("acme", "에이크미", "Acme", home=home)
    bolt = add_tenant("bolt", "볼트", "Bolt", home=home)
    for folder in (bolt.data, bolt.workspace, bolt.runs, bolt.published):
        (folder / "secret.txt").write_text(MARK)
    (home / "platform.db").write_text(MARK)
    return Grounds(home, as_root, acme, bolt)


def dropped(*words: str) -> Change:
    """Take these words, which follow one another, out of a command line."""

    def change(argv: list[str]) -> list[str]:
        for at in range(len(argv)):
            if argv[at : at + len(words)] == list(words):
                return argv[:at] + argv[at + len(words) :]
        raise AssertionError(f"{words} are not in {argv}")

    return change


def mounting(*words: str) -> Change:
    """Add a mount that has no business in a sandbox."""

    def change(argv: list[str]) -> list[str]:
        at = argv.index("--remount-ro", argv.index("--hostname") - 4)
        return [*argv[:at], *words, *argv[at:]]

    return change


def both(*changes: Change) -> Change:
    """One change after the other."""

    def change(argv: list[str]) -> list[str]:
        for one in changes:
            argv = one(argv)
        return argv

    return change
