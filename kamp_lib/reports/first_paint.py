"""The static first view of a page, and what the live page needs, written by the run.

`first-paint.html` holds both languages; which one shows is the `lang` of its first tag.
It is for whoever opens a bundle's folder: a page server draws the first view itself, from
what it has validated, because the HTML of a bundle is a company's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from kamp_lib.errors import KampError
from kamp_lib.reports import fonts
from kamp_lib.reports.blocks import Blocks, style, templates
from kamp_lib.reports.facts import PAGE, Facts, draw_facts, facts_of
from kamp_lib.reports.figures import draw_figures
from kamp_lib.reports.words import Words
from kamp_lib.runs import Bundle
from kamp_lib.text import LANGUAGES, Language

FIRST_PAINT = "first-paint.html"
# where a page server has the font; a file opened by itself uses the reader's own
FONT_PATH = "/kamp/fonts/"
KEPT_VIEWS = 32


def write_first_paint(folder: Path) -> None:
    """Complete a staged bundle with `page.json`, its figures and `first-paint.html`."""
    bundle = Bundle(folder)
    record = bundle.record
    facts = draw_facts(bundle)
    (folder / PAGE).write_text(facts.model_dump_json(), encoding="utf-8")
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    for lang, drawn in draw_figures(record, facts).items():
        for name, svg in drawn.items():
            (figures / f"{name}.{lang}.svg").write_text(svg, encoding="utf-8")
    html = draw_first_view(bundle, facts, LANGUAGES, FONT_PATH)
    (folder / FIRST_PAINT).write_text(html, encoding="utf-8")


def draw_first_view(
    bundle: Bundle, facts: Facts, langs: Sequence[Language], font_url: str
) -> str:
    """The first blocks of a page as a document without scripts."""
    record = bundle.record
    sides = []
    for lang in langs:
        blocks = Blocks(bundle, lang, facts)
        first = [blocks.verdict()]
        if record.status == "succeeded":
            first += [blocks.worth(blocks.prices, static=True), blocks.causes()]
            first += [blocks.chart()]
        sides.append((lang, first))
    words = {lang: Words(lang) for lang in langs}
    return (
        templates()
        .get_template("document.html")
        .render(
            lang=langs[0],
            title=page_title(bundle, words[langs[0]]),
            faces=fonts.linked_faces(font_url),
            style=style(),
            sides=sides,
            notes={lang: words[lang]("page.loading") for lang in langs},
        )
    )


def first_view(bundle: Bundle, lang: Language, font_url: str) -> str:
    """The first view of a published page, drawn from its record and its facts.

    Empty where the bundle keeps no facts or they cannot be read: then the live page, whose
    kernel reads tables inside the walls, is the first thing to see.
    """
    file = bundle.path / PAGE
    if not file.is_file():
        return ""
    stamp = file.stat().st_mtime_ns
    return _kept_view(bundle.path, stamp, lang, font_url)


@lru_cache(maxsize=KEPT_VIEWS)
def _kept_view(folder: Path, stamp: int, lang: Language, font_url: str) -> str:
    bundle = Bundle(folder)
    try:
        return draw_first_view(bundle, facts_of(bundle), [lang], font_url)
    except KampError:
        return ""


def page_title(bundle: Bundle, words: Words) -> str:
    """What the browser's tab says."""
    record = bundle.record
    return words("page.title", model=record.model.name, company=record.tenant_name)
