"""What this machine can do to keep companies apart, and what it means when it cannot.

`inspect_walls` tries the real thing: it starts a sandbox, rather than guess from versions
and kernel settings.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from kamp_lib.errors import KampError
from kamp_lib.hub import cgroups, seccomp
from kamp_lib.text import Text

TOOLS = {
    **{"bwrap": "bubblewrap", "socat": "socat", "bash": "bash"},
    **{"setpriv": "util-linux", "prlimit": "util-linux"},
}
TRIAL_S = 20
ALLOW_USER_NAMESPACES = (
    "sudo sysctl -w kernel.unprivileged_userns_clone=1"
    " kernel.apparmor_restrict_unprivileged_userns=0"
)
NEWER = "sudo apt install bubblewrap  # 0.8 or newer"
# root that may not mount is root in a container
ALLOW_MOUNTS = (
    "docker run --cap-add SYS_ADMIN --security-opt seccomp=unconfined"
    " --security-opt apparmor=unconfined ..."
)


@dataclass(frozen=True)
class Problem:
    """Something that is missing, and the line that mends it."""

    text: Text
    mend: str
    needed: bool = True  # without it, there are no walls


@dataclass(frozen=True)
class Walls:
    """What this machine has of what the walls are made of."""

    bwrap: bool
    user_namespaces: bool
    root: bool
    cgroups: Literal["v1", "v2"] | None
    problems: list[Problem] = field(default_factory=list)

    @property
    def stand(self) -> bool:
        """Whether servers of several companies can be kept apart."""
        return not any(problem.needed for problem in self.problems)


def inspect_walls() -> Walls:
    """Look at this machine, as the user who runs this."""
    problems = list(_missing())
    root = os.geteuid() == 0
    bwrap = shutil.which("bwrap") is not None
    refused = _try_sandbox(root) if bwrap else "bwrap"
    if bwrap and refused is not None:
        problems.append(_no_sandbox(refused, root))
    groups = cgroups.find()
    if groups is None:
        problems.append(_no_groups(root))
    if not root:
        problems.append(_one_user())
    return Walls(
        bwrap=bwrap,
        user_namespaces=refused is None,
        root=root,
        cgroups=groups.version if groups else None,
        problems=problems,
    )


def require_walls(tenants: Sequence[str], *, allowed_without: bool) -> Walls:
    """The walls, which several companies cannot do without.

    Parameters
    ----------
    allowed_without
        `--unsafe-no-walls`: somebody said that they know what it means.

    Raises
    ------
    KampError
        When there are no walls and more than one company.
    """
    walls = inspect_walls()
    if walls.stand or len(tenants) <= 1 or allowed_without:
        return walls
    first = next(problem for problem in walls.problems if problem.needed)
    count = len(tenants)
    raise KampError(
        f"기업 {count}곳을 서로 격리할 수 없습니다: {first.text.ko} 실행하세요: {first.mend}"
        " (모의 데이터로 시험만 할 때: --unsafe-no-walls)",
        f"{count} companies cannot be kept apart: {first.text.en} Run: {first.mend}"
        " (with simulated data only: --unsafe-no-walls)",
    )


def _missing() -> Iterator[Problem]:
    """Programs and libraries that are not installed."""
    for tool, package in TOOLS.items():
        if shutil.which(tool) is None:
            yield Problem(
                Text(f"'{tool}' 프로그램이 없습니다.", f"{tool!r} is not installed."),
                f"sudo apt install {package}",
            )
    if not seccomp.available():
        yield Problem(
            Text(
                "시스템 호출을 거르는 libseccomp 라이브러리가 없습니다.",
                "libseccomp, which filters system calls, is not installed.",
            ),
            "sudo apt install libseccomp2",
        )


def _try_sandbox(root: bool) -> str | None:
    """Start the smallest sandbox with all namespaces; what it said when it failed."""
    # as in `bubblewrap`: root's sandbox has no user namespace
    users = [] if root else ["--unshare-user", "--disable-userns"]
    apart = ["--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts"]
    command = ["bwrap", *users, *apart, "--ro-bind", "/", "/", "--proc", "/proc"]
    try:
        done = subprocess.run(
            [*command, "--dev", "/dev", "true"],
            capture_output=True,
            timeout=TRIAL_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = done.stderr.decode("utf-8", "replace").strip()
    return None if done.returncode == 0 else said or f"exit {done.returncode}"


def _no_sandbox(said: str, root: bool) -> Problem:
    old = "nknown option" in said
    return Problem(
        Text(
            f"bubblewrap이 이 컴퓨터에서 작동하지 않습니다({said}).",
            f"bubblewrap does not work on this machine ({said}).",
        ),
        NEWER if old else ALLOW_MOUNTS if root else ALLOW_USER_NAMESPACES,
    )


def _no_groups(root: bool) -> Problem:
    return Problem(
        Text(
            "제어 그룹(cgroup)을 쓸 수 없어, 메모리는 프로세스마다 제한하고 CPU는 제한하지 않습니다.",
            "no control groups can be used: memory is limited per process, processors are not.",
        ),
        "mount -o remount,rw /sys/fs/cgroup"
        if root
        else "systemd-run --user --scope -p Delegate=yes kamp up",
        needed=False,
    )


def _one_user() -> Problem:
    return Problem(
        Text(
            "허브가 root가 아니어서 모든 기업의 파일 소유자가 같습니다. 격리는 샌드박스 하나에 의지합니다.",
            "the hub is not run by root, so all companies' files have one owner: the"
            " sandbox is the only wall.",
        ),
        "sudo kamp up",
        needed=False,
    )
