"""What a fork server and those who ask it say to each other.

One message is one packet of a local socket (`SOCK_SEQPACKET`): JSON, and open files
beside it. A packet arrives whole or not at all, so nothing has to be put together.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Sequence
from typing import Any

# How ipykernel is started, after the name of the interpreter.
LAUNCHER = ["-m", "ipykernel_launcher"]
# With a request: the owner's handle, standard input, output, errors.
FILES = 4
LARGEST = 212_000  # bytes; the kernel's usual bound for one packet
MOST_FILES = 8
# pid, uid, gid of the process at the other end
_CREDENTIALS = struct.Struct("3i")

Message = dict[str, Any]

_FIELDS = {
    "command": list,
    "environment": dict,
    "folder": str,
    "umask": int,
    "limits": dict,
    "processors": list,
}


class Closed(Exception):
    """The other end is gone."""


class Garbled(Exception):
    """The other end speaks another language."""


def open_socket() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def peer(connection: socket.socket) -> tuple[int, int]:
    """Process and user at the other end, as the operating system says."""
    raw = connection.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size
    )
    pid, uid, _ = _CREDENTIALS.unpack(raw)
    return pid, uid


def send(
    connection: socket.socket, message: Message, files: Sequence[int] = ()
) -> None:
    """Send one packet.

    Raises
    ------
    Closed
        When nobody is there to read it.
    OSError
        `EMSGSIZE`, when it is larger than a packet may be.
    """
    data = json.dumps(message).encode("ascii")
    try:
        socket.send_fds(connection, [data], files)
    except (BrokenPipeError, ConnectionResetError, ConnectionRefusedError) as error:
        raise Closed from error


def receive(connection: socket.socket) -> tuple[Message, list[int]]:
    """The next packet, and the files that came with it: now the caller's to close.

    Raises
    ------
    Closed, Garbled
    TimeoutError, BlockingIOError
        When the socket may not wait (any longer) and nothing is there.
    """
    flags = socket.MSG_CMSG_CLOEXEC
    try:
        data, files, got, _ = socket.recv_fds(connection, LARGEST, MOST_FILES, flags)
    except ConnectionResetError as error:
        raise Closed from error
    try:
        if not data:
            raise Closed
        if got & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            raise Garbled("a packet was cut short")
        message = json.loads(data)
        if not isinstance(message, dict):
            raise Garbled("a packet is not a message")
    except (Closed, Garbled, ValueError) as error:
        close(files)
        if isinstance(error, ValueError):
            raise Garbled("a packet is not JSON") from error
        raise
    return message, files


def understood(message: Message) -> bool:
    """Whether this is a request for a kernel."""
    if not all(isinstance(message.get(name), kind) for name, kind in _FIELDS.items()):
        return False
    command: list[Any] = message["command"]
    variables: dict[Any, Any] = message["environment"]
    texts = [*command, *variables.keys(), *variables.values()]
    return all(isinstance(t, str) for t in texts) and command[1:3] == LAUNCHER


def close(files: Sequence[int]) -> None:
    for file in files:
        os.close(file)
