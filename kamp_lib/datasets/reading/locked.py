"""Files locked with a password."""

from __future__ import annotations

from kamp_lib.datasets.options import Options
from kamp_lib.errors import KampError


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
