"""Starts one server of one company inside its walls.

What a server is follows from its name alone (`report`, or a person), and what it may
see and use from the company's row in the registry: nothing that a browser sends has a say.
"""

from __future__ import annotations

import asyncio
import compileall
import os
import signal
import socket
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

from jupyterhub.spawner import LocalProcessSpawner, SpawnException
from jupyterhub.utils import random_port

import kamp_lib
from kamp_lib.errors import KampError
from kamp_lib.hub import bubblewrap, cgroups, unwalled
from kamp_lib.hub.clients import client_id
from kamp_lib.hub.profile import Kind, Profile, profile
from kamp_lib.hub.roles import REPORT, may_run
from kamp_lib.hub.walls import inspect_walls
from kamp_lib.settings import settings
from kamp_lib.tenancy import Registry, open_registry, tenant_named
from kamp_lib.text import Text
from kamp_lib.workspace import lab_arguments, lab_environment

HUB_SOCKET_URL = "http+unix://%2Frun%2Fkamp%2Fhub%2Fhub.sock"
SOCKET = "server.sock"
SERVER_SOCKET = f"/run/kamp/server/{SOCKET}"
LOOK_S = 0.02
START_S = 120
# A workspace saves as it goes; what it cannot end within this time is killed.
STOP_S = 5


class KampSpawner(LocalProcessSpawner):
    """One server of one company, as a local process in a bubblewrap sandbox."""

    _registry: Registry | None = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.user is not None:
            self.oauth_client_id = client_id(self.user.name, self.name)

    @property
    def registry(self) -> Registry:
        if KampSpawner._registry is None:
            KampSpawner._registry = open_registry()
        return KampSpawner._registry

    @property
    def kind(self) -> Kind:
        return Kind.REPORT if self.name == REPORT else Kind.WORKSPACE

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        # there is no system user of this name
        return env

    async def start(self) -> tuple[str, int]:
        # One after the other is sooner for everybody than all at once: a start is all
        # computing, and twenty that share two cores end together, after a minute.
        async with _turns():
            self.port = random_port()
            self.proc = await asyncio.to_thread(self._launch)
            self.pid = self.proc.pid
            await self._listening()
        return "127.0.0.1", self.port

    async def _listening(self) -> None:
        """Wait until the server listens; one that has ended will not, and nobody waits.

        Raises
        ------
        SpawnException
            When it has ended, or takes too long.
        """
        deadline = time.monotonic() + START_S
        while not await asyncio.to_thread(self._listens):
            ended = self.proc is not None and self.proc.poll() is not None
            if ended or time.monotonic() > deadline:
                raise _refused(
                    Text(
                        "서버가 시작하다가 멈췄습니다. 잠시 뒤 다시 시도하고,"
                        " 계속되면 운영자에게 알려 주세요.",
                        "the server ended while it started; try again in a moment, and tell"
                        " the operator when it keeps happening.",
                    ),
                    "ended-early",
                )
            await asyncio.sleep(LOOK_S)

    def _listens(self) -> bool:
        """Whether somebody answers at the server's socket, or port without walls."""
        if walls_stand():
            home = settings().home.absolute()
            return (home / "hub" / "run" / self.user.name / self.name / SOCKET).exists()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _launch(self) -> subprocess.Popen[bytes]:
        _compiled()
        profile, home = self._profile(), settings().home.absolute()
        if not walls_stand():
            self.log.warning("no walls: %s of %s", self.name, self.user.name)
            return unwalled.command_line(profile, home).start()
        bubblewrap.prepare(profile, home)
        command = bubblewrap.command_line(profile, home, port=self.port)
        self.log.info("starting %s of %s behind walls", self.name, self.user.name)
        return command.start(limits=cgroups.enter(profile))

    async def stop(self, now: bool = False) -> None:
        """End the server and everything in it."""
        for sig, patience in ((signal.SIGTERM, STOP_S), (signal.SIGKILL, STOP_S)):
            if await self.poll() is not None:
                break
            self._signal_all(sig)
            await self.wait_for_death(patience)
        await asyncio.to_thread(cgroups.remove, self.user.name, self.name)

    def _signal_all(self, sig: int) -> None:
        # the process group: the sandbox and the forwarder to its socket
        try:
            os.killpg(self.pid, sig)
        except ProcessLookupError:
            self.log.debug("%s of %s has ended by itself", self.name, self.user.name)

    def _profile(self) -> Profile:
        """What this server is, sees and may use.

        Raises
        ------
        SpawnException
            When the registry does not know such a server (any more).
        """
        slug = self.user.name
        try:
            sme = self.registry.sme(slug)
            tenant = tenant_named(slug)
        except KampError as error:
            raise _refused(error.text, "no-such-company") from error
        if sme.status != "active":
            raise _refused(
                Text("이용이 정지된 기업입니다.", "this company is suspended."),
                "suspended",
            )
        if self.kind is not Kind.REPORT and not may_run(
            self.registry.access(self.name), slug
        ):
            raise _refused(
                Text(
                    "이 기업의 작업공간을 쓸 권한이 없습니다.",
                    "you have no workspace in this company.",
                ),
                "no-role",
            )
        return profile(
            sme,
            tenant,
            self.kind,
            server=self.name,
            command=self._command(),
            env=self._environment(),
        )

    def _command(self) -> list[str]:
        # behind walls there is no network to listen on
        where = [f"--ServerApp.sock={SERVER_SOCKET}"] if walls_stand() else []
        if self.kind is Kind.REPORT:
            return [sys.executable, "-m", "kamp_lib.hub.report_server", *where]
        if not walls_stand() and os.geteuid() == 0:
            # behind walls it never is; without them, root's hub was told to go on
            where.append("--allow-root")
        return [
            *(sys.executable, "-m", "kamp_lib.workspace.server"),
            *where,
            "--ServerApp.root_dir=/workspace/workspace",
            # no ports: the kernels' sockets lie in a folder of the server's own
            "--KernelManager.transport=ipc",
            "--ServerApp.allow_unauthenticated_access=False",
            "--ContentsManager.allow_hidden=False",
            *lab_arguments(settings().lang),
        ]

    def _environment(self) -> dict[str, str]:
        # On a socket a port other than Jupyter's own would be a contradiction.
        port = 8888 if walls_stand() else self.port
        env: dict[str, Any] = {
            **self.get_env(),
            "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}{self.server.base_url}",
            "KAMP_TENANT_HOME": "/workspace",
            "KAMP_LANG": settings().lang,
            "KAMP_TEMPLATES": str(settings().templates),
            "KAMP_GUIDEBOOKS": str(settings().guidebooks),
            "KAMP_PERSON": self.name,
            "KAMP_FAST_KERNELS": settings().fast_kernels_told,
        }
        if self.kind is not Kind.REPORT:
            env |= lab_environment(settings().lang, person=self.name)
            env["KAMP_PERSON_NAME"] = self.registry.person(self.name).display_name
        return {key: str(value) for key, value in env.items()}


@cache
def _turns() -> asyncio.Semaphore:
    """As many starts at a time as there are cores; the others wait in line."""
    return asyncio.Semaphore(max(2, os.cpu_count() or 2))


@cache
def _compiled() -> None:
    """Compile our own modules, once per hub: inside the walls nothing can be written.

    Otherwise each start after an update would compile them all again.
    """
    package = Path(kamp_lib.__file__).parent
    # where we may not write either, servers start a second later
    compileall.compile_dir(package, quiet=2)


@cache
def walls_stand() -> bool:
    """Whether servers run behind walls on this machine; looked at once per hub."""
    return inspect_walls().stand


def _refused(why: Text, reason: str) -> SpawnException:
    return SpawnException(str(why), reason=reason)
