"""Files locked with a password."""

from __future__ import annotations

import io
from typing import Any

from kamp_lib.datasets.options import Options
from kamp_lib.datasets.reading.refusals import plainly
from kamp_lib.errors import KampError

# Excel locks a file with this when only its structure is protected.
NO_SECRET = "VelvetSweatshop"  # noqa: S105
# Excel spins a password 100,000 times; a file that asks for far more wants to hang us.
MOST_SPINS = 2_000_000
OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def password_of(name: str, options: Options) -> str:
    """The password of a locked file.

    Raises
    ------
    KampError
        When there is nobody to ask.
    """
    password = options.password(name)
    if not password:
        raise KampError(
            f"'{name}'은(는) 암호로 잠긴 파일입니다. 환경 변수 KAMP_FILE_PASSWORD에 암호를"
            " 넣고 다시 실행하거나, 암호를 풀어 저장하세요.",
            f"{name!r} is locked with a password; put it into the environment variable"
            " KAMP_FILE_PASSWORD and run again, or save the file without a password.",
        )
    return password


def wrong_password(name: str) -> KampError:
    return KampError(
        f"'{name}'의 암호가 맞지 않습니다. 암호를 확인하고 다시 실행하세요.",
        f"the password of {name!r} is wrong; check it and run again.",
    )


def unlocked_workbook(data: bytes, name: str, options: Options) -> bytes:
    """The bytes of a workbook without its password; those of an open one as they are.

    Raises
    ------
    KampError
        When there is no password, a wrong one, or the file is no workbook at all.
    """
    if not data.startswith(OLD_OFFICE):
        return data
    import msoffcrypto
    from msoffcrypto.exceptions import DecryptionError, FileFormatError

    with plainly(name, "Excel"):
        try:
            office = msoffcrypto.OfficeFile(io.BytesIO(data))
            if office.format not in ("xls97", "ooxml"):
                raise _no_workbook(name)
            return _decrypted(office, name, options) if office.is_encrypted() else data
        except FileFormatError:
            return data  # a workbook older than 1997, or none: the parser will say
        except DecryptionError as error:
            raise _strange_lock(name) from error


def _decrypted(office: Any, name: str, options: Options) -> bytes:
    from msoffcrypto.exceptions import InvalidKeyError

    said = getattr(office, "info", None)
    if isinstance(said, dict) and said.get("spinValue", 0) > MOST_SPINS:
        raise _strange_lock(name)
    try:
        office.load_key(password=NO_SECRET, verify_password=True)
    except InvalidKeyError:
        password = password_of(name, options)
        try:
            office.load_key(password=password, verify_password=True)
        except InvalidKeyError as error:
            raise wrong_password(name) from error
    plain = io.BytesIO()
    office.decrypt(plain)
    return plain.getvalue()


def _strange_lock(name: str) -> KampError:
    return KampError(
        f"'{name}'의 암호 방식은 풀 수 없습니다. 엑셀에서 암호를 풀어 다시 저장하세요.",
        f"the lock of {name!r} cannot be opened; save it from Excel without a password.",
    )


def _no_workbook(name: str) -> KampError:
    return KampError(
        f"'{name}'은(는) 망가졌거나 엑셀이 아닌 오피스 파일입니다. 표를 엑셀(.xlsx)이나 CSV로 저장하세요.",
        f"{name!r} is damaged, or an Office file that is no workbook; save the table as"
        " Excel (.xlsx) or CSV.",
    )
