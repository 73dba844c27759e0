"""What an ingest asks a person at the terminal: which standard column is this?"""

from __future__ import annotations

from collections.abc import Sequence

from kamp_lib import console
from kamp_lib.catalog import Equipment
from kamp_lib.datasets.options import AskColumn
from kamp_lib.datasets.types import ColumnMatch
from kamp_lib.text import Text

ANSWERS = Text(
    "  y 예 · n 아니요, 이름 그대로 보관 · Enter 나중에 정함"
    " · 다른 표준 열이면 그 이름(? 이름 보기)",
    "  y yes · n no, keep its own name · Enter later"
    " · another standard column: its name (? shows them)",
)


def asker(machine: Equipment) -> AskColumn:
    """Asks about one doubtful column after the other."""

    def labelled(name: str) -> str:
        column = machine.column(name)
        return f"{name}({column.label})" if column else name

    def ask(match: ColumnMatch, names: Sequence[str]) -> str | None:
        shown = labelled(match.maybe or "")
        question = Text(
            f"'{match.source}' 열은 {shown} 열입니까?"
            f" (확신 {match.confidence:.0%}: {match.reason_ko})\n{ANSWERS.ko}",
            f"is the column '{match.source}' {shown}?"
            f" (confidence {match.confidence:.0%}: {match.reason_en})\n{ANSWERS.en}",
        )
        while True:
            answer = console.ask(question)
            if not answer:
                return None
            if answer.lower() in ("y", "예"):
                return match.maybe
            if answer.lower() in ("n", "아니요"):
                return match.source
            if answer in names:
                return answer
            listed = ", ".join(map(labelled, names))
            question = Text(f"표준 열: {listed}", f"standard columns: {listed}")

    return ask
