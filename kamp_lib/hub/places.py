"""Where one server's run directory and generated files lie, and whose they are.

`KAMP_HOME/hub/run/<company>/<server>/` is the server's own (its socket is in it); beside
it, `<server>.walls/` holds what only the platform writes: a few files for the sandbox's
`/etc` and the filter of system calls.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kamp_lib.errors import KampError
from kamp_lib.hub import seccomp
from kamp_lib.hub.profile import Profile
from kamp_lib.tenancy import Tenant

NOBODY = 65_534


@dataclass(frozen=True)
class Places:
    """The places of one server on this machine."""

    profile: Profile
    home: Path
    uid: int | None  # None: everything is this process's own user's

    @property
    def run(self) -> Path:
        """The folder of the server's socket."""
        return self.home / "hub" / "run" / self.profile.tenant / self.profile.server

    @property
    def etc(self) -> Path:
        """Written by the platform, seen read-only."""
        return self.run.with_name(f"{self.profile.server}.walls")

    @property
    def filter(self) -> Path:
        """The filter of system calls, as the kernel takes it."""
        return self.etc / "seccomp.bpf"

    @property
    def api(self) -> Path:
        """The folder of the hub's own socket."""
        return self.home / "hub" / "api"

    def make(self) -> None:
        """Make folders and files, with their owners and modes."""
        for folder in (self.home / "hub", self.home / "hub" / "run", self.run.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.api.mkdir(mode=0o711, exist_ok=True)
        # no other account of this machine reads companies' folders
        (self.home / "tenants").chmod(0o700)
        # what an earlier server left behind is nobody's any more
        _remove(self.run)
        self.run.mkdir(mode=0o700, exist_ok=True)
        self.run.chmod(0o700)  # its folder is ours: it cannot be a link
        self._give([self.run])
        self.etc.mkdir(mode=0o755, exist_ok=True)
        for name, text in self.etc_files().items():
            _write(self.etc / name, text.encode())
        _write(self.filter, seccomp.program())
        for mount in self.profile.mounts:
            _check_plain(mount.source)
        self._give([m.source for m in self.profile.mounts if m.writable])

    def remove(self) -> None:
        """Take the run directory away; nothing of the company is in it."""
        _remove(self.run)
        _remove(self.etc)

    def etc_files(self) -> dict[str, str]:
        """The files of /etc, by name."""
        user, slug = self.profile.server, self.profile.tenant
        uid = os.getuid() if self.uid is None else self.uid
        gid = os.getgid() if self.uid is None else self.uid
        home = self.profile.home
        return {
            "passwd": f"{user}:x:{uid}:{gid}:{user}:{home}:/bin/bash\n"
            f"nobody:x:{NOBODY}:{NOBODY}:nobody:/nonexistent:/usr/sbin/nologin\n",
            "group": f"{slug}:x:{gid}:\nnogroup:x:{NOBODY}:\n",
            "hosts": f"127.0.0.1 localhost {slug}\n::1 localhost\n",
            "hostname": f"{slug}\n",
            "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
            "resolv.conf": "",
        }

    def _give(self, folders: list[Path]) -> None:
        """Make `folders` the company's own, closed to all others."""
        if self.uid is None:
            return
        for folder in folders:
            with opened(folder) as handle:
                os.fchown(handle, self.uid, self.uid)
                os.fchmod(handle, 0o700)
        hand_over(folders, self.uid)


def hand_over_company(tenant: Tenant) -> None:
    """Give a company what root wrote into its folder on the host.

    Before its first server runs, root is the owner of it all; that start hands it over.
    """
    try:
        owner = tenant.data.lstat().st_uid
    except FileNotFoundError:  # a company that was just removed
        return
    if owner != 0:
        hand_over([tenant.data, tenant.workspace, tenant.runs], owner)


def hand_over(folders: list[Path], uid: int) -> None:
    """Give the company what root wrote into its folders; nothing of anyone else's.

    `chown` walks by descriptors and changes links themselves, so that a company that
    moves folders about meanwhile gains nothing. Each folder is a mount of its own inside
    the sandbox: no file of another place can be linked into it.
    """
    owners = f"{uid}:{uid}"
    subprocess.run(
        ["chown", "-R", "-h", "-P", "--from=0", owners, "--", *map(str, folders)],
        stderr=subprocess.DEVNULL,  # what went away meanwhile needs no owner
        check=False,
    )


def places(profile: Profile, home: Path) -> Places:
    """The places of a server; the company's own user counts when root starts it.

    Raises
    ------
    KampError
        When root starts it and the company has no user id.
    """
    if os.geteuid() != 0:
        return Places(profile, home.absolute(), None)
    if profile.uid is None:
        raise KampError(
            f"기업 '{profile.tenant}'에 사용자 번호(uid)가 없습니다. 등록부를 확인하세요.",
            f"the company {profile.tenant!r} has no user id; check the registry.",
        )
    return Places(profile, home.absolute(), profile.uid)


@contextmanager
def opened(folder: Path) -> Iterator[int]:
    """A descriptor of a folder that must be a folder, not a link to one."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise _not_plain(folder) from error
    try:
        yield handle
    finally:
        os.close(handle)


def _remove(folder: Path) -> None:
    """Remove a folder in which a company may have put folders without end."""
    command = ["rm", "-rf", "--one-file-system", "--", str(folder)]
    subprocess.run(command, stderr=subprocess.DEVNULL, check=False)


def _check_plain(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        raise _not_plain(path) from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise _not_plain(path)


def _not_plain(path: Path) -> KampError:
    return KampError(
        f"{path} 이(가) 없거나 일반 폴더·파일이 아니어서 서버를 시작할 수 없습니다.",
        f"{path} is missing or not a plain folder or file, so the server cannot start.",
    )


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.chmod(0o644)
    partial.rename(path)
