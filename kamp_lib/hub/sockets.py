"""Unix sockets as URLs."""

from __future__ import annotations

import string
from pathlib import Path

# A URL's host is put into lower case on its way; what is escaped survives that.
KEPT = frozenset(string.ascii_lowercase + string.digits + "-._~")


def socket_host(path: Path | str) -> str:
    """A path as the host of a URL, safe against being put into lower case."""
    return "".join(
        chr(byte) if chr(byte) in KEPT else f"%{byte:02X}"
        for byte in str(path).encode()
    )


def socket_url(path: Path) -> str:
    """The URL of a socket, as JupyterHub takes it."""
    return f"http+unix://{socket_host(path)}"
