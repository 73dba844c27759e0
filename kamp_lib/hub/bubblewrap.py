"""Profile -> a process behind walls on this machine.

bubblewrap gives the server an own view of files (the system read-only, the company's
folder, a private `/tmp`), of processes, of the network (none), of the host's name and of
shared memory, and loads the filter of system calls. Run by root, the server works under
the company's own user id; run by anybody else, under that person's, in a user namespace.

Outside stands a small shell that holds sandbox and forwarder together: when one of the
three ends, however it ends, the kernel ends the other two.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import kamp_lib
from kamp_lib.errors import KampError
from kamp_lib.hub import cgroups
from kamp_lib.hub.places import Places, places
from kamp_lib.hub.profile import HUB, RUN, Profile
from kamp_lib.settings import settings

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
# What programs of a workspace read in /etc and that says nothing about this machine.
SYSTEM_FILES = (
    *("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "fonts"),
    *("localtime", "mime.types", "inputrc", "terminfo", "chromium.d"),
)
# Tells of the whole machine; none of it is a company's business.
HIDDEN_IN_PROC = ("keys", "key-users", "kcore", "kallsyms", "timer_list", "sched_debug")
# Folders of the sandbox's own, not of this machine.
TMP, SHARED_MEMORY = "/tmp", "/dev/shm"  # noqa: S108
SHARED_MEMORY_MB = 512
HOME_MB = 512
TMP_MB = 2048
OPEN_FILES = 4096
# A limit of exactly 1 also stops programs that the system hands core dumps to.
CORE_BYTES = 1
FIRST_TO_GO = 300
MOST_LINES, LONGEST_LINE = 20_000, 1_000
MB = 2**20

Bind = tuple[Path, str, bool]  # source, target, writable


@dataclass(frozen=True)
class CommandLine:
    """How to start one server: the sandbox, its forwarder, its environment.

    What a server with a name prints goes through a filter into our own output.
    """

    server: tuple[str, ...]
    forwarder: tuple[str, ...]
    filter: Path
    env: dict[str, str]
    leash: tuple[str, ...] = ()
    name: str = ""

    def ending_with_its_parent(self) -> CommandLine:
        """The same, killed by the kernel when the process that starts it ends."""
        return replace(self, leash=(_tool("setpriv"), "--pdeathsig", "KILL", "--"))

    def argv(self, limits: Sequence[Path] = ()) -> list[str]:
        """The whole command; `limits` are the control groups' files to enter."""
        script = _script(self, limits)
        # bash, not sh: it can wait for whichever of two ends first; -p: nothing in the
        # server's environment has a say in what the shell does
        shell = (_tool("bash"), "--norc", "-p", "-c")
        return [*self.leash, *shell, script, "kamp-walls"]

    def start(
        self, *, limits: Sequence[Path] = (), **popen: Any
    ) -> subprocess.Popen[bytes]:
        """Start it apart from this process, which it outlives."""
        return subprocess.Popen(
            self.argv(limits),
            env=self.env,
            cwd="/",
            start_new_session=True,
            **{"stdin": subprocess.DEVNULL, **popen},
        )


def prepare(profile: Profile, home: Path) -> Places:
    """Make what the sandbox stands on; may be done again at any time.

    Raises
    ------
    KampError
        When a folder of the company is not a plain folder (any more).
    """
    there = places(profile, home)
    there.make()
    return there


def command_line(
    profile: Profile, home: Path, *, port: int | None = None
) -> CommandLine:
    """How to start the server of `profile`, reachable on a loopback port if one is given.

    Raises
    ------
    KampError
        When the walls would have a hole: companies' folders inside the system's.
    """
    _check_apart(home)
    there = places(profile, home)
    return CommandLine(
        server=tuple(_server(profile, there)),
        forwarder=tuple(forwarder(port, there)) if port is not None else (),
        filter=there.filter,
        env=profile.env,
        name=f"{profile.tenant}/{profile.server}" if port is not None else "",
    )


def forwarder(port: int, there: Places) -> list[str]:
    """From a loopback port to the server's socket, and to nothing else.

    The folder of the socket belongs to the company, which could put a link in the
    socket's place; inside this sandbox there is nothing such a link could lead to.
    """
    return [
        *_bubblewrap(there, [(there.run, RUN, False)], network=True),
        *("--clearenv", "--remount-ro", "/"),
        *_as_company(there),
        *(_tool("socat"), "-t", "60"),
        f"TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr,backlog=128,nodelay",
        f"UNIX-CONNECT:{RUN}/server.sock",
    ]


def _server(profile: Profile, there: Places) -> list[str]:
    """The sandbox of the server itself."""
    binds: list[Bind] = [(there.run, RUN, True)]
    binds += [(m.source, m.target, m.writable) for m in profile.mounts]
    if profile.uses_hub:
        binds.append((there.api, HUB, False))
    return [
        *_bubblewrap(there, binds, _private(profile), network=False),
        *("--remount-ro", "/", "--chdir", "/", "--hostname", profile.tenant),
        *_as_company(there, limits=cgroups.rlimits(profile)),
        # only the company's user may enter its folder
        *(_tool("env"), f"--chdir={profile.folder}"),
        *profile.command,
    ]


def _private(profile: Profile) -> list[str]:
    """What is the sandbox's own, and gone with it."""
    return [
        *("--proc", "/proc", *_hidden()),
        *("--dev", "/dev", *_tmpfs(SHARED_MEMORY, SHARED_MEMORY_MB)),
        *("--remount-ro", "/dev"),
        *_tmpfs(TMP, TMP_MB),
        *_tmpfs(profile.home, HOME_MB),
        *("--dir", "/var", "--symlink", TMP, f"/var{TMP}"),
    ]


def _bubblewrap(
    there: Places, binds: Sequence[Bind], own: Sequence[str] = (), *, network: bool
) -> list[str]:
    """What both sandboxes have: own namespaces, a read-only system, and `binds`.

    What is its `own` comes before them, so that a Python below `/tmp` is not hidden.
    """
    apart = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    if not network:
        apart.append("--unshare-net")
    if there.uid is None:
        apart += ["--unshare-user", "--disable-userns"]
    else:
        # what it takes to become the company's user, and nothing more
        apart += ["--cap-drop", "ALL"]
        for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
            apart += ["--cap-add", capability]
    return [
        *(_tool("bwrap"), *apart, "--new-session", "--die-with-parent"),
        *("--seccomp", "3", *_system(), *own),
        *_bound([*_python(), *_generated(there), *binds]),
    ]


def _system() -> list[str]:
    """Programs and libraries, and some files of /etc."""
    arguments: list[str] = []
    for folder in map(Path, SYSTEM):
        if folder.is_symlink():
            arguments += ["--symlink", os.readlink(folder), str(folder)]
        elif folder.is_dir():
            arguments += ["--ro-bind", str(folder), str(folder)]
    arguments += ["--dir", "/etc"]
    for name in SYSTEM_FILES:
        arguments += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    return arguments


def _python() -> list[Bind]:
    return [(folder, str(folder), False) for folder in python_folders()]


def _generated(there: Places) -> list[Bind]:
    """Files of /etc that name the company's user and nobody of this machine."""
    return [(there.etc / name, f"/etc/{name}", False) for name in there.etc_files()]


def _bound(binds: Sequence[Bind]) -> list[str]:
    """Mounts, and the folders above them, which all may enter."""
    above = {parent for _, target, _ in binds for parent in Path(target).parents}
    arguments: list[str] = []
    for folder in sorted(above - {Path("/"), Path("/etc")}):
        arguments += ["--dir", str(folder)]
    for source, target, writable in binds:
        arguments += ["--bind" if writable else "--ro-bind", str(source), target]
    return arguments


def python_folders() -> list[Path]:
    """Where Python, its packages, kamp_lib and the templates lie; none inside another."""
    s = settings()
    own = [Path(kamp_lib.__file__).parent, s.templates, s.guidebooks]
    wanted = [Path(sys.prefix), Path(sys.base_prefix), *own]
    kept: list[Path] = []
    for folder in map(Path.absolute, wanted):
        inside = [Path("/usr"), *kept]
        if not any(folder.is_relative_to(other) for other in inside):
            kept.append(folder)
    return kept


def _check_apart(home: Path) -> None:
    """KAMP_HOME must not lie in a folder that every company sees."""
    real = home.resolve()
    for folder in (Path("/usr"), *python_folders()):
        if real.is_relative_to(folder.resolve()):
            raise KampError(
                f"KAMP_HOME({home})이 모든 기업에 보이는 폴더 {folder} 안에 있습니다."
                " 다른 곳으로 옮기세요.",
                f"KAMP_HOME ({home}) lies inside {folder}, which every company sees;"
                " move it elsewhere.",
            )


def _hidden() -> list[str]:
    arguments: list[str] = []
    for name in HIDDEN_IN_PROC:
        if Path("/proc", name).exists():
            arguments += ["--ro-bind", "/dev/null", f"/proc/{name}"]
    return arguments


def _tmpfs(target: str, mb: int) -> list[str]:
    # open to all: there is one user in here
    return ["--perms", "1777", "--size", str(mb * MB), "--tmpfs", target]


def _as_company(there: Places, limits: Sequence[str] = ()) -> list[str]:
    """Limits of the process, then the company's user: the last steps before the program."""
    always = [f"--core={CORE_BYTES}", f"--nofile={OPEN_FILES}"]
    command = ["--", _tool("prlimit"), *always, *limits]
    if there.uid is None:
        return command
    return [
        *(*command, _tool("setpriv"), f"--reuid={there.uid}", f"--regid={there.uid}"),
        *("--clear-groups", "--inh-caps=-all", "--ambient-caps=-all"),
        *("--bounding-set=-all", "--no-new-privs"),
    ]


def _script(command: CommandLine, limits: Sequence[Path]) -> str:
    """The shell that holds the parts together."""
    lines = [f"echo $$ > {shlex.quote(str(file))} || exit 125" for file in limits]
    # when the whole machine runs out of memory, servers go before the platform
    lines.append(f"echo {FIRST_TO_GO} > /proc/$$/oom_score_adj")
    if command.name:
        lines.append(f"exec > >({_spoken_by(command.name)}; exec cat > /dev/null) 2>&1")
    # with job control, what runs in the background can be interrupted; what the shell
    # has to say about its jobs is no news
    lines += ["umask 022", "set -m", "exec 4>&2 2>/dev/null", _ENDS]
    opened = f"2>&4 4>&- 3< {shlex.quote(str(command.filter))}"
    lines += [f"{shlex.join(command.server)} {opened} &", "server=$!"]
    waited = ["server"]
    if command.forwarder:
        lines += [f"{shlex.join(command.forwarder)} {opened} &", "forwarder=$!"]
        waited.append("forwarder")
    return "\n".join([*lines, _WAIT.format(alive=_alive(waited))])


def _spoken_by(name: str) -> str:
    """A filter for what a server prints: who says it, nothing that steers a terminal.

    The server holds a pipe and never the hub's own output, where a company could read what
    is typed and write in the hub's name. After `MOST_LINES` it may go on, unheard.
    """
    edits = [
        r"s/\t/    /g",
        "s/[[:cntrl:]]/?/g",
        r"s/\xc2[\x80-\x9f]/?/g",  # controls in UTF-8
        f"s|^|{name}: |",
        f"{MOST_LINES}q",
    ]
    words = [word for edit in edits for word in ("-e", edit)]
    # a line without end is no way to fill the memory; -oL: line by line
    short = [_tool("stdbuf"), "-oL", _tool("fold"), "-b", "-w", str(LONGEST_LINE)]
    clean = shlex.join([_tool("sed"), "-u", *words])
    return f"{shlex.join(short)} | LC_ALL=C {clean}"


def _alive(names: Sequence[str]) -> str:
    return " && ".join(f'kill -0 "${name}" 2>/dev/null' for name in names)


# A signal goes to the program inside: sandbox -> its first process -> the program. When
# this shell ends, the kernel ends what is left (--die-with-parent), but for a sandbox that
# is still being built: that one is held still and taken down with what it has made.
_ENDS = """\
children() { cat "/proc/$1/task/$1/children" 2>/dev/null; }
pass() {
  for first in $(children "$server"); do
    for program in $(children "$first"); do
      kill "-$1" "$program" 2>/dev/null && return
    done
  done
  exit 1
}
still() { ! grep -q "^State:.[^TZX]" "/proc/$1/status" 2>/dev/null; }
end() {
  kill -STOP "$1" 2>/dev/null || return
  until still "$1"; do :; done
  kill -KILL $(children "$1") "$1"
}
trap 'for job in $(jobs -p); do end "$job"; done' EXIT
trap 'pass TERM' TERM
trap 'pass INT' INT
trap 'pass HUP' HUP
"""
_WAIT = """\
while {alive}; do wait -n; done
kill -0 "$server" 2>/dev/null && exit 1
wait "$server"
"""


def _tool(name: str) -> str:
    """The tool's absolute path; the sandbox's own PATH has no say in it."""
    found = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin")
    if found is None:
        raise KampError(
            f"'{name}' 프로그램이 없습니다. 설치: sudo apt install bubblewrap socat util-linux",
            f"{name!r} is missing; install it: apt install bubblewrap socat util-linux",
        )
    return found
