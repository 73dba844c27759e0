import threading

import pytest

from kamp_lib.text import Text, choose_language, language, speaking

NAME = Text("금형", "mould")


def test_korean_is_the_default() -> None:
    assert str(NAME) == "금형"


def test_the_environment_chooses_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAMP_LANG", "en")
    assert str(NAME) == "mould"


def test_speaking_lasts_as_long_as_its_block() -> None:
    with speaking("en"):
        assert str(NAME) == "mould"
    assert language() == "ko"


def test_one_threads_language_is_not_anothers() -> None:
    heard = []
    with speaking("en"):
        thread = threading.Thread(target=lambda: heard.append(str(NAME)))
        thread.start()
        thread.join()
    assert heard == ["금형"]


def test_format_fills_a_text_in_its_own_language() -> None:
    filled = Text("{x} 점검", "check the {x}").format(x=NAME)
    assert filled == Text("금형 점검", "check the mould")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="language"):
        choose_language("fr")  # type: ignore[arg-type]
