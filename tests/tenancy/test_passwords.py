import pytest
from tenancy.desk import CHEAP

from kamp_lib.errors import UsageError
from kamp_lib.tenancy.passwords import (
    SHORTEST,
    Passwords,
    check_password,
    commonest,
    one_time_password,
)


def test_a_one_time_password_can_be_read_aloud() -> None:
    for _ in range(200):
        made = one_time_password()
        assert not set(made) & set("0O1lIoi ")
        assert [len(group) for group in made.split("-")] == [4, 4, 4]
        check_password(made, name="ann")


def test_no_two_one_time_passwords_are_the_same() -> None:
    assert len({one_time_password() for _ in range(500)}) == 500


@pytest.mark.parametrize(
    "password",
    [
        "",
        "a" * 9,
        "짧은 비밀번호",
        "x7" * 101,
        "haneul-mold",
        "Haneul-Mold1",
        "haneulmold99!",
        "김하늘김하늘123",
        "aaaaaaaaaaaa",
        "abababababab",
        "abcdefghijkl",
        "9876543210",
        "1234567890",
        "Password123",
        "qwertyuiop",
        "1q2w3e4r5t",
        "dkssudgktpdy",
        "abc\ud800defghijk",
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password: str) -> None:
    with pytest.raises(UsageError):
        check_password(password, name="haneul-mold", display_name="김하늘김하늘")


@pytest.mark.parametrize(
    "password",
    ["tall trees 7", "밤하늘의 별 세 개", "haneul-mold is my job", "x7!kQ9z#Lw"],
)
def test_any_other_password_will_do(password: str) -> None:
    assert check_password(password, name="haneul-mold") == password


def test_the_list_of_commonest_passwords_is_written_as_it_is_looked_up() -> None:
    assert len(commonest()) > 150
    for password in commonest():
        assert password == password.casefold()


def test_short_commonest_passwords_need_no_place_in_the_list() -> None:
    short = [p for p in commonest() if len(p) < SHORTEST and p.isascii()]
    assert short == []


def test_nothing_is_right_for_nobody() -> None:
    passwords = Passwords(CHEAP)
    assert not passwords.is_right("", None)
    assert not passwords.is_right(passwords._nobody, None)


@pytest.mark.parametrize("kept", ["", "plain", "$argon2id$broken", "\0"])
def test_a_damaged_hash_lets_nobody_in(kept: str) -> None:
    assert not Passwords(CHEAP).is_right("plain", kept)


def test_only_the_start_of_a_huge_password_is_ever_hashed_and_it_is_wrong() -> None:
    passwords = Passwords(CHEAP)
    longest = "x" * 200
    assert not passwords.is_right(longest + "y" * 10**6, passwords.hash(longest))
