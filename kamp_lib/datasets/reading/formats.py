"""Which reader reads which file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kamp_lib.datasets.options import Options
from kamp_lib.datasets.raw import Raw
from kamp_lib.datasets.reading.arrow_files import read_arrow, read_parquet
from kamp_lib.datasets.reading.databases import read_database
from kamp_lib.datasets.reading.json_files import read_json
from kamp_lib.datasets.reading.kinds import ENDINGS, IMAGE_ENDINGS, REFUSED, kind_of
from kamp_lib.datasets.reading.sheets import read_workbook
from kamp_lib.datasets.reading.signals import (
    read_hdf5,
    read_matlab,
    read_numpy,
    read_numpy_archive,
)
from kamp_lib.datasets.reading.sound import read_sound
from kamp_lib.datasets.reading.text_files import read_text
from kamp_lib.datasets.reading.web_pages import read_excel_xml, read_web_page
from kamp_lib.errors import KampError

Reader = Callable[[Path, str, Options], Raw]

READERS: dict[str, Reader] = {
    "text": read_text,
    "workbook": read_workbook,
    "old workbook": read_workbook,
    "excel xml": read_excel_xml,
    "web page": read_web_page,
    "json": read_json,
    "database": read_database,
    "parquet": lambda path, name, options: read_parquet(path, name),
    "arrow": lambda path, name, options: read_arrow(path, name),
    "matlab": read_matlab,
    "hdf5": read_hdf5,
    "numpy": read_numpy,
    "numpy archive": read_numpy_archive,
    "sound": lambda path, name, options: read_sound(path, name),
}


def read_table(path: Path, name: str, options: Options) -> Raw:
    """Read one file as a table.

    Parameters
    ----------
    path : Path
        Where it is.
    name : str
        What the person calls it.
    options : Options
        Which sheet or table is meant, the password of a locked file.

    Raises
    ------
    KampError
        When it cannot be read: why, and what to do about it.
    """
    try:
        if _is_blank(path):
            raise KampError(
                f"'{name}'은(는) 빈 파일입니다. 내용이 있는 파일을 선택하세요.",
                f"{name!r} is an empty file; choose one with data.",
            )
        kind = kind_of(path)
        if kind in READERS:
            return READERS[kind](path, name, options)
    except OSError as error:
        raise KampError(
            f"'{name}'을(를) 열 수 없습니다({error.strerror}). 읽기 권한을 확인하세요.",
            f"{name!r} cannot be opened ({error.strerror}); check that you may read it.",
        ) from error
    raise _refused(name, kind)


def _is_blank(path: Path) -> bool:
    """Whether nothing but white space is in a (small) file."""
    if path.stat().st_size > 1 << 16:
        return False
    return not path.read_bytes().strip()


def _refused(name: str, kind: str | None) -> KampError:
    """What is said of a file that no reader knows."""
    if kind in REFUSED:
        why = REFUSED[kind]
        return KampError(f"'{name}': {why.ko}", f"{name!r}: {why.en}")
    known = ", ".join((*ENDINGS, *IMAGE_ENDINGS))
    return KampError(
        f"'{name}'은(는) 읽을 수 없는 종류의 파일입니다. 읽을 수 있는 것: {known}",
        f"{name!r} is not a kind of file that can be read; these are: {known}",
    )
