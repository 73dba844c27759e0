"""What one server of one company may see and use: the spawn profile.

A pure description. `bubblewrap` carries it out on this machine, `kube` as a pod; whatever
the two have in common is decided here and nowhere else.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from kamp_lib.errors import UsageError
from kamp_lib.tenancy import Tenant
from kamp_lib.tenancy.tenants import SLUG

if TYPE_CHECKING:
    from kamp_lib.tenancy import Sme

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
INSIDE = "/workspace"
RUN = "/run/kamp/server"
HUB = "/run/kamp/hub"


class Kind(StrEnum):
    """What a server is for; follows from its name, never from what a browser sends."""

    WORKSPACE = "workspace"
    REPORT = "report"
    JOB = "job"


@dataclass(frozen=True)
class Mount:
    """A file or folder of the company and where the server sees it."""

    source: Path
    target: str
    writable: bool


@dataclass(frozen=True)
class Limits:
    """The most that may be used: memory in MB, processors, processes (threads count)."""

    memory_mb: int
    cpus: float
    processes: int

    def times(self, servers: int) -> Limits:
        """What so many servers may use together."""
        return Limits(
            self.memory_mb * servers, self.cpus * servers, self.processes * servers
        )

    def within(self, outer: Limits) -> Limits:
        """No more than `outer`."""
        return Limits(
            min(self.memory_mb, outer.memory_mb),
            min(self.cpus, outer.cpus),
            min(self.processes, outer.processes),
        )


@dataclass(frozen=True)
class Profile:
    """One server: whose, what runs, what it sees, what it may use, as whom."""

    tenant: str
    kind: Kind
    server: str
    command: tuple[str, ...]
    env: dict[str, str]
    mounts: tuple[Mount, ...]
    limits: Limits
    company_limits: Limits
    uid: int | None

    @property
    def home(self) -> str:
        """The home folder inside, private to the server and gone with it."""
        return self.env["HOME"]

    @property
    def folder(self) -> str:
        """The folder it starts in."""
        return INSIDE if self.kind is Kind.REPORT else f"{INSIDE}/workspace"

    @property
    def uses_hub(self) -> bool:
        """Whether it asks the hub who its visitors are."""
        return self.kind is not Kind.JOB


def profile(
    sme: Sme,
    tenant: Tenant,
    kind: Kind,
    *,
    server: str,
    command: Sequence[str],
    env: Mapping[str, str],
) -> Profile:
    """What `server` of `tenant` may see and use.

    Parameters
    ----------
    env
        What the server needs beside the environment that every sandbox has; nothing
        else is there, and nothing of this process is inherited.

    Raises
    ------
    UsageError
        When the server's name could be a path or an option, or a variable would load
        code into the programs that build the walls.
    """
    if not SLUG.fullmatch(server):
        raise UsageError(
            f"서버 이름 '{server}'은(는) 쓸 수 없습니다.",
            f"{server!r} cannot name a server.",
        )
    for name in env:
        if name.startswith("LD_") or not VARIABLE.fullmatch(name):
            raise UsageError(
                f"환경 변수 '{name}'은(는) 서버에 줄 수 없습니다.",
                f"a server cannot be given the environment variable {name!r}.",
            )
    one = Limits(sme.plan.memory_mb, sme.plan.cpus, sme.plan.processes)
    return Profile(
        tenant=tenant.slug,
        kind=kind,
        server=server,
        command=tuple(command),
        env={**env, **_environment(server, one)},
        mounts=_mounts(tenant, kind),
        limits=one,
        company_limits=one.times(sme.plan.servers),
        uid=sme.uid,
    )


def _mounts(tenant: Tenant, kind: Kind) -> tuple[Mount, ...]:
    released = (
        Mount(tenant.home / "tenant.toml", f"{INSIDE}/tenant.toml", writable=False),
        Mount(tenant.published, f"{INSIDE}/published", writable=False),
    )
    if kind is Kind.REPORT:
        return released
    own = (tenant.data, tenant.workspace, tenant.runs)
    return (*released, *(Mount(d, f"{INSIDE}/{d.name}", writable=True) for d in own))


def _environment(server: str, limits: Limits) -> dict[str, str]:
    """What stands in every sandbox; a caller cannot set it otherwise."""
    home = f"/home/{server}"
    threads = str(max(1, int(limits.cpus)))
    return {
        "HOME": home,
        "USER": server,
        "LOGNAME": server,
        "SHELL": "/bin/bash",
        "LANG": "C.UTF-8",
        "PATH": f"{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin",
        "TMPDIR": "/tmp",  # noqa: S108 - the sandbox's own
        "XDG_RUNTIME_DIR": f"{home}/.run",
        "KAMP_TENANT_HOME": INSIDE,
        # a program that counts the machine's processors would start too many
        "KAMP_THREADS": threads,
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "PYTHONDONTWRITEBYTECODE": "1",
        # JupyterHub's name for it: a report server opens as many pages as fit
        "MEM_LIMIT": str(limits.memory_mb * 2**20),
    }
