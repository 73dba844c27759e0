"""`kamp doctor`: what this machine has of what the hub needs, and the line that mends it."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from kamp_lib.errors import KampError
from kamp_lib.hub.config import proxy_command
from kamp_lib.hub.walls import inspect_walls
from kamp_lib.settings import settings
from kamp_lib.tenancy import list_tenants, open_registry
from kamp_lib.text import Text

OLDEST_NODE = 20
FREE_GB = 2


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    needed: bool
    text: Text
    mend: str = ""


def examine() -> list[Finding]:
    """Everything, in the order in which it is worth mending."""
    checks: list[Callable[[], Iterator[Finding]]] = [
        _database,
        _disk,
        _node,
        _walls,
        _port,
        _font,
    ]
    return [finding for check in checks for finding in check()]


def _database() -> Iterator[Finding]:
    try:
        registry = open_registry()
        people, companies = len(registry.people()), len(registry.smes())
    except KampError as error:
        yield Finding("database", False, True, error.text, "kamp db upgrade")
        return
    text = Text(
        f"플랫폼 데이터베이스: 기업 {companies}곳, 사람 {people}명",
        f"platform database: {companies} companies, {people} people",
    )
    yield Finding("database", True, True, text)
    if not any(person.operator for person in registry.people()):
        text = Text("운영자 계정이 없습니다.", "there is no operator yet.")
        yield Finding("operator", False, False, text, "kamp init")


def _disk() -> Iterator[Finding]:
    home = settings().home.absolute()
    there = next(p for p in (home, *home.parents) if p.is_dir())
    free = shutil.disk_usage(there).free / 2**30
    text = Text(f"빈 디스크 공간: {free:.0f} GB", f"free disk space: {free:.0f} GB")
    mend = f"KAMP_HOME={home} → 더 큰 디스크로 / move to a larger disk"
    yield Finding("disk", free >= FREE_GB, True, text, mend)


def _node() -> Iterator[Finding]:
    node, *_, script = proxy_command()
    version = _version_of(node)
    if version is None or version < OLDEST_NODE:
        text = Text(
            f"Node {OLDEST_NODE} 이상이 없습니다.", f"there is no Node {OLDEST_NODE}+."
        )
        yield Finding("node", False, True, text, "make setup")
    else:
        yield Finding("node", True, True, Text(f"Node {version}", f"Node {version}"))
    there = Path(script).is_file()
    text = (
        Text("프록시가 있습니다.", "the proxy is there.")
        if there
        else Text("프록시가 설치되지 않았습니다.", "the proxy is not installed.")
    )
    yield Finding("proxy", there, True, text, "make setup")


def _version_of(node: str) -> int | None:
    try:
        said = subprocess.run(
            [node, "--version"], capture_output=True, text=True, timeout=10, check=True
        )
        return int(said.stdout.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def _walls() -> Iterator[Finding]:
    walls = inspect_walls()
    several = len(list_tenants()) > 1 and not settings().unsafe_no_walls
    for problem in walls.problems:
        yield Finding(
            "walls", False, several and problem.needed, problem.text, problem.mend
        )
    if not walls.problems:
        text = Text(
            "기업 사이의 벽(bubblewrap)이 작동합니다.",
            "the walls between companies (bubblewrap) work.",
        )
        yield Finding("walls", True, True, text)


def _port() -> Iterator[Finding]:
    s = settings()
    address = urlsplit(s.hub_url)
    port = s.hub_port or address.port or (443 if address.scheme == "https" else 80)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((s.hub_bind, port))
        except OSError as error:
            text = Text(
                f"포트 {port}을(를) 쓸 수 없습니다({error.strerror}).",
                f"cannot use port {port} ({error.strerror}).",
            )
            mend = (
                f"KAMP_HUB_URL={address.scheme}://{address.hostname}:{port + 1} kamp up"
            )
            yield Finding("port", False, True, text, mend)
            return
    yield Finding(
        "port", True, True, Text(f"포트 {port} 사용 가능", f"port {port} is free")
    )


def _font() -> Iterator[Finding]:
    """Pages carry their own font; charts of notebooks and PDF files need the system's."""
    if shutil.which("fc-list") is None:
        found = False
    else:
        said = subprocess.run(
            ["fc-list", ":lang=ko"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        found = bool(said.stdout.strip())
    text = (
        Text("한글 글꼴이 있습니다.", "there is a Korean font.")
        if found
        else Text(
            "한글 글꼴이 없어 PDF의 한글이 깨질 수 있습니다.",
            "there is no Korean font; Hangul in PDF files may be missing.",
        )
    )
    yield Finding("font", found, False, text, "apt-get install fonts-nanum fontconfig")
