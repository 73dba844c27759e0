"""The tables of a company as CSV, written inside its walls and taken out as plain bytes.

What comes out is not looked at here: it goes into files that we name ourselves, and never
takes more than half of the disk that is free.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from kamp_lib.datasets.csv_frames import Part, frames
from kamp_lib.errors import KampError
from kamp_lib.hub.jobs import run_inside, walls_needed
from kamp_lib.tenancy import Tenant
from kamp_lib.tenancy.hostile import FOLDER

MODULE = "kamp_lib.datasets.csv_copies"
# as data sets are named; no other folder holds one
NAME = re.compile(r"[^\W_][\w.-]{0,99}")
ENDINGS = {Part.ROWS: ".csv", Part.QUARANTINE: ".quarantine.csv"}
LONGEST_COMPLAINT = 300


def tables_as_csv(tenant: Tenant, target: Path) -> None:
    """Write `<data set>.csv`, and `<data set>.quarantine.csv` where rows were rejected.

    Raises
    ------
    KampError
        When this machine has no walls, or a table cannot be read; what could be
        written is there.
    """
    if not walls_needed():
        raise KampError(
            "이 컴퓨터에는 기업을 가르는 벽이 없어 만들지 않았습니다(표는 Parquet으로 있습니다)."
            " 확인: kamp doctor",
            "this machine has no walls between companies (the tables are there as"
            " Parquet); see kamp doctor.",
        )
    names = _data_sets(tenant)
    if names:
        sorting = _Sorting(names, target, room=shutil.disk_usage(target).free // 2)
        status = _run(tenant, [sys.executable, "-m", MODULE, *names], sorting)
        sorting.finish(status)


def _data_sets(tenant: Tenant) -> list[str]:
    """Folders that could be data sets, by name; the folder above may be a link by now."""
    try:
        handle = os.open(tenant.data, FOLDER)
    except OSError:
        return []  # the export itself says what stands there
    try:
        names = sorted(filter(NAME.fullmatch, os.listdir(handle)))
        return [name for name in names if _has_a_table(handle, name)]
    finally:
        os.close(handle)


def _has_a_table(folder: int, name: str) -> bool:
    try:
        os.close(os.open(f"{name}/table", FOLDER, dir_fd=folder))
    except OSError:
        return False
    return True


def _run(tenant: Tenant, command: list[str], sorting: _Sorting) -> int:
    """Run it inside, sorting what comes out meanwhile; its exit status."""
    reader, writer = os.pipe()
    thread = threading.Thread(target=sorting.read, args=(os.fdopen(reader, "rb"),))
    thread.start()
    try:
        # what it says beside is nothing that anybody asked for
        with open(os.devnull, "wb") as nowhere:
            return run_inside(tenant, command, out=writer, err=nowhere)
    finally:
        os.close(writer)
        thread.join()


@dataclass
class _Sorting:
    """The frames of one job, into files."""

    names: list[str]
    target: Path
    room: int
    complaints: dict[int, str] = field(default_factory=lambda: defaultdict(str))
    cut_off: bool = False

    def read(self, stream: BinaryIO) -> None:
        """Take frames until there are no more, or one is wrong, or there is no room.

        The stream is closed then, which ends whoever still writes into it.
        """
        with stream:
            try:
                for number, part, data in frames(stream, len(self.names)):
                    self._take(number, part, data)
            except (ValueError, OSError):
                self.cut_off = True

    def _take(self, number: int, part: Part, data: bytes) -> None:
        if part is Part.COMPLAINT:
            said = self.complaints[number] + data.decode("utf-8", "replace")
            self.complaints[number] = said[:LONGEST_COMPLAINT]
            return
        self.room -= len(data)
        if self.room < 0:
            raise ValueError("no room")
        with (self.target / (self.names[number] + ENDINGS[part])).open("ab") as file:
            file.write(data)

    def finish(self, status: int) -> None:
        """Say what is missing."""
        if self.complaints:
            number, said = next(iter(self.complaints.items()))
            plain = "".join(c if c.isprintable() else " " for c in said)
            raise KampError(
                f"데이터셋 '{self.names[number]}'을(를) CSV로 쓰지 못했습니다. {plain}",
                f"data set {self.names[number]!r} could not be written as CSV. {plain}",
            )
        if status != 0 or self.cut_off:
            raise KampError(
                "표를 모두 CSV로 쓰지 못했습니다(표는 Parquet으로 있습니다).",
                "not all tables could be written as CSV (they are there as Parquet).",
            )
