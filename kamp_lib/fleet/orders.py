"""One run that is wanted, and what became of it. Plain values: they travel as JSON."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from kamp_lib.text import Text

LONGEST_SAID = 600
# succeeded, failed: it ran; known: the same run was there; refused: its data or company
# do not allow it; stopped: the batch ended first
Status = Literal["succeeded", "failed", "known", "refused", "stopped"]


class Order(BaseModel):
    """One model to run on one data set of one company.

    Attributes
    ----------
    known
        The run that did exactly this already.
    before
        The last run of this model on an earlier state of this data set.
    again
        Run it even when the same run is there.
    """

    model_config = ConfigDict(frozen=True)

    tenant: str
    name: Text
    model: str
    label: Text
    dataset: str
    version: int
    parameters: dict[str, Any] = Field(default_factory=dict)
    known: str | None = None
    before: str | None = None
    again: bool = False

    @property
    def compared_with(self) -> str | None:
        """The run against which to say what changed."""
        return (self.known if self.again else None) or self.before

    @property
    def key(self) -> str:
        """What two batches must not do at the same time."""
        return f"{self.tenant}/{self.model}/{self.dataset}"


class Outcome(BaseModel):
    """What became of an order."""

    order: Order
    status: Status
    run: str | None = None
    verdict: str | None = None
    said: Text = Text("", "")
    changed: list[Text] = Field(default_factory=list)
    seconds: float = 0.0
    own_seconds: float = Field(default=0.0, description="of these, the run's own cells")
    attempts: int = 0
    where: str = ""

    @property
    def trouble(self) -> bool:
        """Whether somebody should look at it."""
        return self.status in ("failed", "refused")

    @property
    def label(self) -> Text:
        """What became of it, in two words."""
        return LABELS[self.verdict or self.status]


def short(said: Text) -> Text:
    """What a company's side said, no longer than a person reads."""
    return Text(_cut(said.ko), _cut(said.en))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SAID else f"{text[:LONGEST_SAID]} …"


LABELS = {
    "usable": Text("사용 가능", "usable"),
    "not-usable-yet": Text("아직 이릅니다", "not usable yet"),
    "succeeded": Text("끝남", "done"),
    "known": Text("이미 실행됨", "already done"),
    "failed": Text("실패", "failed"),
    "refused": Text("실행할 수 없음", "cannot be run"),
    "stopped": Text("실행하지 않음", "not run"),
}
