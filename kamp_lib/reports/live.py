"""The live decision page: blocks as widgets, re-rendered as people move things.

What a browser sends is hostile: every widget here holds a bounded number or one of a
few choices, and nothing is built from it but arithmetic.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import ipywidgets as widgets
from markupsafe import Markup

from kamp_lib.errors import KampError
from kamp_lib.reports import numbers
from kamp_lib.reports.blocks import Blocks
from kamp_lib.reports.facts import Range, facts_of
from kamp_lib.reports.worth import nearest
from kamp_lib.runs import Bundle
from kamp_lib.text import LANGUAGES, Language, language

if TYPE_CHECKING:
    from kamp_lib.learning import RiskModel

# The browser draws the page first; then the libraries of the sliders are loaded.
WARM_UP_AFTER_S = 1.5
LANGUAGE_NAMES = {"한국어": "ko", "English": "en"}
LIMITS = {
    "cost_missed": 1e9,
    "cost_false_alarm": 1e9,
    "cases_per_month": 1e8,
    "bad_percent": 100.0,
}


def page(folder: Path) -> Page:
    """The decision page of the bundle in `folder`, block by block."""
    return Page(Bundle(folder), asked_language())


def asked_language() -> Language:
    """`?lang=` of the address, else the reader's language."""
    asked = parse_qs(os.environ.get("QUERY_STRING", "")).get("lang", [""])[0]
    for lang in LANGUAGES:
        if asked == lang:
            return lang
    return language()


class Page:
    """One bundle, shown; each method is one block and returns a widget."""

    def __init__(self, bundle: Bundle, lang: Language) -> None:
        self.bundle = bundle
        facts = facts_of(bundle)
        self._blocks = {k: Blocks(bundle, k, facts) for k in LANGUAGES}
        self.lang: Language = lang
        self._said: list[Callable[[], None]] = []
        self._prices = self.blocks.prices
        points = facts.thresholds
        self._at = nearest(points, bundle.record.threshold) if points else 0
        self._model: RiskModel | None = None
        # a browser makes every one of these by itself: one is enough for all
        self._layout = widgets.Layout()
        self._styles: dict[type, widgets.Widget] = {}

    @property
    def blocks(self) -> Blocks:
        return self._blocks[self.lang]

    # -- the blocks -------------------------------------------------------------

    def verdict(self) -> widgets.Widget:
        """State, sentence, reasons, what to collect; and the language switch."""
        switch = self._make(
            widgets.ToggleButtons,
            options=list(LANGUAGE_NAMES.items()),
            value=self.lang,
        )
        switch.add_class("kamp-language")
        switch.observe(lambda change: self._speak(change["new"]), "value")
        return self._card(switch, self._html(Blocks.verdict))

    def worth(self) -> widgets.Widget:
        """KRW a month, with editable prices and the threshold."""
        if self._prices is None:
            return self._card(self._html(lambda b: b.worth(None)))
        result = self._html(lambda b: b.worth(self._prices, self._at))

        def again() -> None:
            result.value = _kamp(self.blocks.worth(self._prices, self._at))

        inputs = [self._price(i, again) for i in range(len(LIMITS))]
        grid = self._make(widgets.Box, children=inputs)
        grid.add_class("kamp-inputs")
        heading = self._html(lambda b: _heading(b, "worth.prices"))
        figure = self._html(lambda b: _grid(b.figure("tradeoff")))
        return self._card(result, *self._threshold(again), heading, grid, figure)

    def causes(self) -> widgets.Widget:
        return self._card(self._html(Blocks.causes))

    def whatif(self) -> widgets.Widget:
        """Sliders over what people can set; the model answers."""
        text = self._html(Blocks.whatif)
        ranges = self.blocks.sliders()
        if not ranges:
            return self._card(text)
        answer = self._html(lambda b: b.risk(None, None, []))
        sliders = [self._slider(r) for r in ranges]

        def again(_: object = None) -> None:
            moved = {r.column: s.value for r, s in zip(ranges, sliders, strict=True)}
            answer.value = _kamp(self._risk(ranges, moved))

        rows = []
        for r, slider in zip(ranges, sliders, strict=True):
            slider.observe(again, "value")
            rows.append(self._slider_row(r, slider))
        grid = self._make(widgets.Box, children=rows)
        grid.add_class("kamp-inputs")
        self._said.append(again)
        back = self._button("whatif.reset")
        back.on_click(lambda _: _put_back(ranges, sliders))
        threading.Thread(target=self._warm_up, daemon=True).start()
        return self._card(text, grid, answer, back)

    def cases(self) -> widgets.Widget:
        return self._card(self._html(Blocks.cases))

    def gallery(self) -> widgets.Widget:
        return self._card(self._html(Blocks.gallery))

    def chart(self) -> widgets.Widget:
        return self._card(self._html(Blocks.chart))

    def trust(self) -> widgets.Widget:
        return self._card(self._html(Blocks.trust))

    def origin(self) -> widgets.Widget:
        """Where the numbers come from; the end of the page."""
        end = self._make(widgets.HTML, value='<div class="kamp-end"></div>')
        whole = [self._card(self._html(Blocks.origin)), end]
        return self._make(widgets.VBox, children=whole)

    # -- parts ------------------------------------------------------------------

    def _make(self, kind: type, **traits: Any) -> Any:
        """A widget that shares layout and style with the others of the page."""
        style = kind.class_traits().get("style")  # type: ignore[attr-defined]
        if style is not None:
            if style.klass not in self._styles:
                self._styles[style.klass] = style.klass()
            traits["style"] = self._styles[style.klass]
        return kind(layout=self._layout, **traits)

    def _slider(self, r: Range) -> Any:
        """A slider around the safe range, never beyond what was seen."""
        slider = self._make(widgets.FloatSlider, readout=False, **_bounds(r))
        slider.add_class("kamp-slider")
        return slider

    def _speak(self, lang: object) -> None:
        if lang in LANGUAGES and lang != self.lang:
            self.lang = lang
            for say in self._said:
                say()

    def _html(self, render: Callable[[Blocks], Markup]) -> widgets.HTML:
        """Markup that is rendered again in the other language."""
        widget: widgets.HTML = self._make(
            widgets.HTML, value=_kamp(render(self.blocks))
        )

        def again() -> None:
            widget.value = _kamp(render(self.blocks))

        self._said.append(again)
        return widget

    def _card(self, *parts: widgets.Widget) -> widgets.Widget:
        """A card; nothing at all where a block has nothing to say."""
        if len(parts) == 1 and not parts[0].value:
            return widgets.Box(layout={"display": "none"})
        card = self._make(widgets.VBox, children=list(parts))
        card.add_class("kamp-card")
        card.add_class("kamp-live")
        return card

    def _button(self, key: str) -> widgets.Button:
        button = self._make(widgets.Button, description=self.blocks.words(key))
        button.add_class("kamp-button")

        def again() -> None:
            button.description = self.blocks.words(key)

        self._said.append(again)
        return button

    def _price(self, index: int, changed: Callable[[], None]) -> widgets.Widget:
        """One editable number, marked as an assumption until it is edited."""
        assert self._prices is not None  # noqa: S101 - only made where there are prices
        field = self.blocks.fields(self._prices)[index]
        share = field.name == "bad_percent"
        box = self._make(
            widgets.BoundedFloatText,
            value=round(field.value, 4 if share else 0),
            min=0,
            max=LIMITS[field.name],
            step=0.1 if share else 1,
        )

        def label(b: Blocks) -> Markup:
            assert self._prices is not None  # noqa: S101
            now = b.fields(self._prices)[index]
            return b.render("label.html", **vars(now))

        said = self._html(label)

        def put(change: dict[str, Any]) -> None:
            assert self._prices is not None  # noqa: S101
            if not 0 <= change["new"] <= LIMITS[field.name]:
                return  # no number at all, or a bound moved in the browser
            name = "bad_share" if share else field.name
            value = change["new"] / 100 if share else change["new"]
            self._prices = self._prices.put(name, value)
            said.value = _kamp(label(self.blocks))
            changed()

        box.observe(put, "value")
        whole = self._make(widgets.VBox, children=[said, box])
        whole.add_class("kamp-input")
        return whole

    def _threshold(self, changed: Callable[[], None]) -> list[widgets.Widget]:
        """The slider over the thresholds that the run has counted."""
        points = self.blocks.facts.thresholds
        if len(points) < 2:
            return []
        recommended = self._at
        slider = self._make(
            widgets.IntSlider, value=self._at, max=len(points) - 1, readout=False
        )
        slider.add_class("kamp-slider")
        slider.add_class("kamp-threshold")

        def move(change: dict[str, Any]) -> None:
            self._at = min(max(change["new"], 0), len(points) - 1)
            changed()

        slider.observe(move, "value")
        pictures = any(c.image for c in self.blocks.facts.cases)
        key = "gallery.threshold" if pictures else "worth.threshold"
        back = self._button("worth.reset_threshold")
        back.on_click(lambda _: setattr(slider, "value", recommended))
        said = self._html(
            lambda b: Markup('<p class="small">{}</p>').format(b.words(key))
        )
        return [said, slider, back]

    def _slider_row(self, r: Range, slider: widgets.FloatSlider) -> widgets.Widget:
        def label(b: Blocks) -> Markup:
            safe = b.words(
                "whatif.safe",
                low=numbers.quantity(r.low),
                high=numbers.quantity(r.high, r.unit),
            )
            return Markup('<p>{}: <b>{}</b> <span class="quiet">{}</span></p>').format(
                r.ko if self.lang == "ko" else r.en,
                numbers.quantity(slider.value, r.unit),
                safe,
            )

        said = self._html(label)
        slider.observe(
            lambda _: setattr(said, "value", _kamp(label(self.blocks))), "value"
        )
        row = self._make(widgets.VBox, children=[said, slider])
        row.add_class("kamp-input")
        return row

    def _risk(self, ranges: list[Range], moved: dict[str, float]) -> Markup:
        """The answer to the sliders: the model, with all else at its usual value."""
        usual: dict[str, Any] = {r.column: r.typical for r in self.blocks.facts.ranges}
        changed = [r for r in ranges if not _at_rest(r, moved[r.column])]
        if not changed:
            return self.blocks.risk(None, None, [])
        if self._model is None:
            self._model = self.bundle.model()
        if self._model is None:
            words = self.blocks.words("whatif.unavailable")
            return Markup('<p class="warnbox" data-risk>{}</p>').format(words)
        import pandas as pd

        new = {**usual, **{r.column: moved[r.column] for r in changed}}
        frame = pd.DataFrame([usual, new])
        before, after = (float(v) for v in self._model.risk(frame))
        outside = [r.ko if self.lang == "ko" else r.en for r in changed
                   if _outside(r, moved[r.column])]  # fmt: skip
        return self.blocks.risk(before, after, outside)

    def _warm_up(self) -> None:
        """Load the model's libraries while the reader reads, before a slider moves."""
        time.sleep(WARM_UP_AFTER_S)
        try:
            model = self.bundle.model()
        except (KampError, ImportError, OSError, ValueError):
            return  # said in plain words when a slider moves
        if self._model is None:
            self._model = model


def _kamp(markup: Markup) -> str:
    return f'<div class="kamp">{markup}</div>' if markup else ""


def _heading(blocks: Blocks, key: str) -> Markup:
    return Markup("<h3>{}</h3>").format(blocks.words(key))


def _grid(figure: Markup) -> Markup:
    return Markup('<div class="grid">{}</div>').format(figure) if figure else Markup()


def _bounds(r: Range) -> dict[str, float]:
    """Where a slider may move, and its usual value."""
    low, high = float(r.min or 0), float(r.max or 0)
    if r.low is not None and r.high is not None and r.high > r.low:
        # one wild reading must not squeeze the range that matters into a corner
        room = r.high - r.low
        low, high = max(low, r.low - room), min(high, r.high + room)
    usual = min(max(float(r.typical or 0), low), high)
    step = r.step if r.step and r.step < high - low else (high - low) / 100
    return {"value": usual, "min": low, "max": high, "step": step}


def _put_back(ranges: list[Range], sliders: list[widgets.FloatSlider]) -> None:
    for r, slider in zip(ranges, sliders, strict=True):
        slider.value = float(r.typical or 0)


def _at_rest(r: Range, value: float) -> bool:
    # a browser rounds to the slider's step
    step = r.step or (float(r.max or 0) - float(r.min or 0)) / 100
    return abs(value - float(r.typical or 0)) < step / 2


def _outside(r: Range, value: float) -> bool:
    low = r.low if r.low is not None else r.min
    high = r.high if r.high is not None else r.max
    return (low is not None and value < low) or (high is not None and value > high)
