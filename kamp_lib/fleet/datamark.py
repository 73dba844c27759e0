"""Whether a company's data have changed, told from the names of files alone.

Nothing of the company is read or believed out here: the numbers of the tables' versions
only say when it is worth asking inside its walls.
"""

from __future__ import annotations

import hashlib
import os
import re

from kamp_lib.runs.plain import open_folder
from kamp_lib.tenancy import Tenant

VERSION = re.compile(r"(\d{20})\.json")
# A table's log; `_delta_log` is Delta Lake's own name.
LOG = ("table", "_delta_log")
MOST_SETS, MOST_FILES = 2_000, 200_000


def data_mark(tenant: Tenant, dataset: str | None = None) -> str:
    """A word that is another one when a data set (or the named one) has a new version."""
    told = hashlib.sha256()
    try:
        data = open_folder(tenant.data)
    except OSError:  # the company is being removed
        return ""
    try:
        names = sorted(os.listdir(data))[:MOST_SETS]
        for name in names if dataset is None else [dataset]:
            told.update(f"{name}={_newest(data, name)}\n".encode(errors="replace"))
    finally:
        os.close(data)
    return told.hexdigest()[:32]


def _newest(data: int, name: str) -> str:
    """The highest version of a table; links are not followed."""
    opened = [data]
    try:
        for part in (name, *LOG):
            opened.append(open_folder(part, inside=opened[-1]))
        with os.scandir(opened[-1]) as entries:
            found = [
                match[1]
                for entry, _ in zip(entries, range(MOST_FILES), strict=False)
                if (match := VERSION.fullmatch(entry.name))
            ]
        return max(found, default="")
    except OSError:  # a file, a link, or no table yet
        return ""
    finally:
        for handle in opened[1:]:
            os.close(handle)
