"""Which reader reads which file."""

from __future__ import annotations

from pathlib import Path

from kamp_lib.datasets.options import Options
from kamp_lib.datasets.raw import Raw
from kamp_lib.datasets.reading.kinds import ENDINGS, IMAGE_ENDINGS, REFUSED, kind_of
from kamp_lib.datasets.reading.sheets import read_excel, read_parquet
from kamp_lib.datasets.reading.text_files import read_text
from kamp_lib.errors import KampError


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
        kind = kind_of(path)
        data = path.read_bytes()
    except OSError as error:
        raise KampError(
            f"'{name}'을(를) 열 수 없습니다({error.strerror}). 읽기 권한을 확인하세요.",
            f"{name!r} cannot be opened ({error.strerror}); check that you may read it.",
        ) from error
    if not data.strip():
        raise KampError(
            f"'{name}'은(는) 빈 파일입니다. 내용이 있는 파일을 선택하세요.",
            f"{name!r} is an empty file; choose one with data.",
        )
    if kind == "text":
        return read_text(path, data, name)
    if kind == "workbook":
        return read_excel(path, data, name)
    if kind == "parquet":
        return read_parquet(path, data, name)
    raise _refused(name, kind)


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
