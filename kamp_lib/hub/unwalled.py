"""A server without walls: for a machine on which bubblewrap cannot work.

It runs as this process's own user and could read every company's folder, so the hub
starts servers like this for one company only, or when somebody said
`--unsafe-no-walls`. The paths that a server has inside its sandbox become those outside.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kamp_lib.hub.places import Places
from kamp_lib.hub.profile import HUB, INSIDE, RUN, Profile
from kamp_lib.hub.sockets import socket_host


@dataclass(frozen=True)
class OpenCommandLine:
    """How to start one server without walls."""

    command: tuple[str, ...]
    env: dict[str, str]
    folder: Path

    def start(
        self, *, limits: Sequence[Path] = (), **popen: Any
    ) -> subprocess.Popen[bytes]:
        """Start it apart from this process, which it outlives."""
        return subprocess.Popen(
            self.command,
            env=self.env,
            cwd=self.folder,
            start_new_session=True,
            **{"stdin": subprocess.DEVNULL, **popen},
        )


def command_line(profile: Profile, home: Path) -> OpenCommandLine:
    """How to start the server of `profile`, which listens on a port by itself."""
    there = Places(profile, home.absolute(), None)
    company = home.absolute() / "tenants" / profile.tenant
    names = {
        quote(HUB, safe=""): socket_host(there.api),
        RUN: str(there.run),
        INSIDE: str(company),
        profile.home: str(there.run / "home"),
    }
    (there.run / "home").mkdir(mode=0o700, parents=True, exist_ok=True)
    (there.run / "home" / ".run").mkdir(mode=0o700, exist_ok=True)
    return OpenCommandLine(
        command=tuple(_outside(part, names) for part in profile.command),
        env={key: _outside(value, names) for key, value in profile.env.items()},
        folder=company,
    )


def _outside(text: str, names: dict[str, str]) -> str:
    """Where a path stands by itself or behind a sign, the one outside takes its place."""
    for inside, outside in names.items():
        whole = rf"(?<![\w.-]){re.escape(inside)}(?![\w.-])"
        text = re.sub(whole, outside.replace("\\", r"\\"), text)
    return text
