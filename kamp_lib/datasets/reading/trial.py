"""A file is tried in another process before its parser runs in this one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Literal

PROBE = Path(__file__).with_name("probe.py")
PATIENCE_S = 9.0
SECONDS_PER_BYTE = 5e-6


def cells_when_tried(kind: Literal["workbook", "matlab", "hdf5"], data: bytes) -> int:
    """How many cells the largest table of a file has, as far as the library tells.

    Raises
    ------
    ValueError
        When the library fails, takes too long or takes its whole process with it.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(PROBE), kind],
            check=False,
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_S + len(data) * SECONDS_PER_BYTE,
        )
    except subprocess.TimeoutExpired as error:
        raise ValueError("reading it does not end") from error
    if done.returncode:
        raise ValueError(f"reading it ended with status {done.returncode}")
    return int(done.stdout)
