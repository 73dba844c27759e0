"""Memory, processors and processes of a server, held by the kernel's control groups.

One group for the platform's companies, in it one per company, in it one per server, each
with its own limit: a server that wants too much meets its own limit and nobody else's.
Where there are no control groups, each process has limits of its own (`rlimits`).
"""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kamp_lib.hub.profile import Limits, Profile
from kamp_lib.settings import settings

MB = 2**20
PERIOD_US = 100_000
# What the companies together may not take: the platform itself has to stay up.
PLATFORM_SHARE = 0.1
PLATFORM_MB = 1024
CONTROLLERS = ("memory", "cpu", "pids")
# How long the kernel may take to forget the processes of a group that has ended.
GONE_S = 3.0

Mounts = Path("/proc/self/mounts")
Own = Path("/proc/self/cgroup")


@dataclass(frozen=True)
class Groups:
    """Where groups can be made: one folder in v2, one per controller in v1."""

    version: Literal["v1", "v2"]
    roots: dict[str, Path]

    def folders(self, *names: str) -> list[Path]:
        """The folders of a group, one after the other where v1 has several."""
        return [root.joinpath(*names) for root in dict.fromkeys(self.roots.values())]

    def make(self, limits: Limits, *names: str) -> None:
        """Make a group with its limits; it may be there already."""
        for folder in self.folders(*names):
            folder.mkdir(exist_ok=True)
        write = _write_v1 if self.version == "v1" else _write_v2
        write(
            {name: root.joinpath(*names) for name, root in self.roots.items()}, limits
        )

    def enable(self, *names: str) -> None:
        """Let the groups inside this one have limits (v2 asks for it)."""
        if self.version == "v2":
            wanted = " ".join(f"+{name}" for name in CONTROLLERS)
            folder = self.folders(*names)[0]
            (folder / "cgroup.subtree_control").write_text(wanted)


def find(mounts: Path = Mounts, own: Path = Own) -> Groups | None:
    """The control groups that this process may use, if there are any."""
    if not (mounts.exists() and own.exists()):  # not Linux
        return None
    here = dict(_memberships(own))
    v1: dict[str, Path] = {}
    for kind, folder, options in _mounted(mounts):
        if kind == "cgroup2":
            found = _unified(folder, here.get("", "/"))
            if found is not None:
                return found
        for name in set(CONTROLLERS) & set(options):
            v1[name] = folder / here.get(name, "/").lstrip("/")
    usable = len(v1) == len(CONTROLLERS) and all(
        os.access(root, os.W_OK) for root in v1.values()
    )
    return Groups("v1", v1) if usable else None


def enter(profile: Profile) -> tuple[Path, ...]:
    """Make the groups of a server; returns the files into which its pid goes."""
    groups = find()
    if groups is None:
        return ()
    top, company, server = _names(profile.tenant, profile.server)
    if groups.version == "v2":
        _step_aside(groups)
    groups.enable()
    everybody = _all_companies()
    together = profile.company_limits.within(everybody)
    groups.make(everybody, top)
    groups.enable(top)
    groups.make(together, top, company)
    groups.enable(top, company)
    groups.make(profile.limits.within(together), top, company, server)
    return tuple(f / "cgroup.procs" for f in groups.folders(top, company, server))


def remove(tenant: str, server: str) -> None:
    """Take the groups of a server away, with whatever is still in them.

    The groups of the company and the platform go with their last server.
    """
    groups = find()
    if groups is None:
        return
    names = _names(tenant, server)
    for depth in (3, 2, 1):
        for folder in groups.folders(*names[:depth]):
            _remove(folder, patience=GONE_S if depth == 3 else 0)


def rlimits(profile: Profile) -> list[str]:
    """Limits of each process, as options of `prlimit`.

    The address space is not limited: libraries reserve much more of it than they use.
    Where control groups work, they count memory better than any of this.
    """
    # a user's processes are counted together: in a user namespace those of this server,
    # otherwise those of all the company's servers
    whole = os.geteuid() == 0
    counted = profile.company_limits if whole else profile.limits
    limits = [f"--nproc={counted.processes}"]
    if find() is None:
        limits.append(f"--data={profile.limits.memory_mb * MB}")
    return limits


def _names(tenant: str, server: str) -> tuple[str, str, str]:
    # two workbenches on one machine do not share their groups
    home = str(settings().home.absolute())
    return f"kamp-{hashlib.sha256(home.encode()).hexdigest()[:8]}", tenant, server


def _all_companies() -> Limits:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MB
    kept = max(PLATFORM_MB, int(total * PLATFORM_SHARE))
    return Limits(max(total - kept, total // 2), os.cpu_count() or 1, 32_768)


def _mounted(mounts: Path) -> Iterator[tuple[str, Path, list[str]]]:
    for line in mounts.read_text().splitlines():
        _, folder, kind, options, *_ = line.split()
        if kind in ("cgroup", "cgroup2"):
            yield kind, Path(folder), options.split(",")


def _memberships(own: Path) -> Iterator[tuple[str, str]]:
    """(controller, path) of this process; v2 has no controller's name."""
    for line in own.read_text().splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            yield name, path


def _unified(mount: Path, own: str) -> Groups | None:
    """v2: our own group when it was delegated to us; root may also use the top."""
    mine = mount / own.lstrip("/")
    for root in (mine, mount):
        try:
            there = (root / "cgroup.controllers").read_text().split()
        except OSError:
            continue
        delegated = root == mine and own != "/" and _delegated(mine)
        if not (delegated or (root == mount and os.geteuid() == 0)):
            continue
        writable = os.access(root / "cgroup.subtree_control", os.W_OK)
        if writable and set(CONTROLLERS) <= set(there):
            return Groups("v2", dict.fromkeys(CONTROLLERS, root))
    return None


def _delegated(folder: Path) -> bool:
    """Whether systemd (`Delegate=yes`) or another owner gave us this group."""
    for name in ("user.delegate", "trusted.delegate"):
        try:
            if os.getxattr(folder, name) == b"1":
                return True
        except OSError:
            continue
    return os.geteuid() != 0 and folder.stat().st_uid == os.geteuid()


def _step_aside(groups: Groups) -> None:
    """v2: processes live in leaves only, so we make way for the groups below us."""
    root = groups.folders()[0]
    members = root / "cgroup.procs"
    if root.parent.joinpath("cgroup.procs").exists() and members.read_text().strip():
        leaf = root / "kamp-platform"
        leaf.mkdir(exist_ok=True)
        for pid in members.read_text().split():
            _move(pid, leaf / "cgroup.procs")


def _move(pid: str, members: Path) -> None:
    try:
        members.write_text(pid)
    except OSError as error:
        if error.errno != errno.ESRCH:  # it has ended meanwhile
            raise


def _write_v1(folders: dict[str, Path], limits: Limits) -> None:
    memory, cpu = folders["memory"], folders["cpu"]
    amount = limits.memory_mb * MB
    both = memory / "memory.memsw.limit_in_bytes"
    plain = memory / "memory.limit_in_bytes"
    # memory may never be more than memory and swap: which comes first depends
    order = [plain, both] if _number(both) >= amount else [both, plain]
    for file in order:
        if file is plain or both.exists():
            file.write_text(str(amount))
    (cpu / "cpu.cfs_period_us").write_text(str(PERIOD_US))
    # v1 refuses less than what a group inside has: those follow first
    for inside in cpu.glob("*/cpu.cfs_quota_us"):
        if _number(inside) > _quota(limits):
            inside.write_text(str(_quota(limits)))
    (cpu / "cpu.cfs_quota_us").write_text(str(_quota(limits)))
    (folders["pids"] / "pids.max").write_text(str(limits.processes))


def _write_v2(folders: dict[str, Path], limits: Limits) -> None:
    folder = folders["memory"]
    (folder / "memory.max").write_text(str(limits.memory_mb * MB))
    if (folder / "memory.swap.max").exists():
        (folder / "memory.swap.max").write_text("0")
    (folder / "cpu.max").write_text(f"{_quota(limits)} {PERIOD_US}")
    (folder / "pids.max").write_text(str(limits.processes))


def _quota(limits: Limits) -> int:
    return int(limits.cpus * PERIOD_US)


def _number(file: Path) -> int:
    try:
        return int(file.read_text())
    except OSError:
        return 0


def _remove(folder: Path, *, patience: float) -> None:
    """Remove a group; with patience, what is in it is ended first."""
    ends = time.monotonic() + patience
    while True:
        try:
            folder.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno not in (errno.EBUSY, errno.ENOTEMPTY):
                raise
            if not patience or time.monotonic() > ends:
                return  # others are still in it
        _kill_all(folder / "cgroup.procs")
        time.sleep(0.05)


def _kill_all(members: Path) -> None:
    """End what is left of a server that has ended."""
    for pid in members.read_text().split():
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
