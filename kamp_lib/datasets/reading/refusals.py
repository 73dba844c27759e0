"""What is said of files that cannot be read: one sentence, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kamp_lib.errors import KampError


def no_data(name: str) -> KampError:
    return KampError(
        f"'{name}'에 데이터가 없습니다. 내용이 있는 파일을 선택하세요.",
        f"{name!r} holds no data; choose a file that does.",
    )


def damaged(name: str, kind: str) -> KampError:
    return KampError(
        f"'{name}'은(는) 끝까지 저장되지 않았거나 망가진 {kind} 파일입니다. 다시 내보내세요.",
        f"{name!r} is a damaged or truncated {kind} file; export it again.",
    )


@contextmanager
def plainly(name: str, kind: str) -> Iterator[None]:
    """One sentence for what a library says of a damaged file: each has its own way."""
    try:
        yield
    except KampError:
        raise
    except Exception as error:
        raise damaged(name, kind) from error
