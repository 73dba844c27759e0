"""The invented companies of the demo, one per machine."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from kamp_lib.catalog.load import load_entries
from kamp_lib.text import Text


class DemoCompany(BaseModel):
    """An invented company: its name, its machine and the standard model that suits it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slug: str
    ko: str
    en: str
    equipment: str
    model: str

    @property
    def name(self) -> Text:
        return Text(self.ko, self.en)


def demo_companies() -> list[DemoCompany]:
    """The four companies of the demo, in the order of their pages."""
    return load_entries(Path(__file__).with_name("companies.yaml"), DemoCompany)
