"""The static first view of a page, and what the live page needs, written by the run.

`first-paint.html` holds both languages; which one shows is the `lang` of its first tag.
"""

from __future__ import annotations

from pathlib import Path

from kamp_lib.reports import fonts
from kamp_lib.reports.blocks import Blocks, style, templates
from kamp_lib.reports.facts import PAGE, draw_facts
from kamp_lib.reports.figures import draw_figures
from kamp_lib.reports.words import Words
from kamp_lib.runs import Bundle
from kamp_lib.text import Language

FIRST_PAINT = "first-paint.html"
LANGUAGES: tuple[Language, ...] = ("ko", "en")
# where a page server has the font; a file opened by itself uses the reader's own
FONT_URL = "/kamp/fonts/"


def write_first_paint(folder: Path) -> None:
    """Complete a staged bundle with `page.json`, its figures and `first-paint.html`."""
    bundle = Bundle(folder)
    record = bundle.record
    facts = draw_facts(bundle)
    (folder / PAGE).write_text(facts.model_dump_json(), encoding="utf-8")
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    for lang in LANGUAGES:
        for name, svg in draw_figures(record, facts, Words(lang)).items():
            (figures / f"{name}.{lang}.svg").write_text(svg, encoding="utf-8")
    sides = []
    for lang in LANGUAGES:
        blocks = Blocks(bundle, lang, facts)
        first = [blocks.verdict()]
        if record.status == "succeeded":
            first += [blocks.worth(blocks.prices, static=True), blocks.causes()]
            first += [blocks.chart()]
        sides.append((lang, first))
    words = {lang: Words(lang) for lang in LANGUAGES}
    html = (
        templates()
        .get_template("document.html")
        .render(
            lang="ko",
            title=page_title(bundle, words["ko"]),
            faces=fonts.linked_faces(FONT_URL),
            style=style(),
            sides=sides,
            notes={lang: words[lang]("page.loading") for lang in LANGUAGES},
        )
    )
    (folder / FIRST_PAINT).write_text(html, encoding="utf-8")


def page_title(bundle: Bundle, words: Words) -> str:
    """What the browser's tab says."""
    record = bundle.record
    return words("page.title", model=record.model.name, company=record.tenant_name)
