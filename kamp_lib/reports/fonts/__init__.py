"""The Korean font that ships with the pages: Pretendard, SIL Open Font License.

Licence text: `OFL.txt` beside the font files.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path

from markupsafe import Markup

FOLDER = Path(__file__).parent
FILES = {
    400: FOLDER / "Pretendard-Regular.subset.woff",
    700: FOLDER / "Pretendard-Bold.subset.woff",
}
# A part of the font is a changed font, which the licence asks to call by another name.
FAMILY = "KAMP Sans"


def linked_faces(base_url: str) -> Markup:
    """`@font-face` rules that load the font from a page server."""
    return Markup("\n").join(
        _face(weight, f"{base_url}{file.name}") for weight, file in FILES.items()
    )


def embedded_faces(text: str) -> Markup:
    """`@font-face` rules that carry the glyphs of `text` in themselves."""
    return Markup("\n").join(
        _face(weight, "data:font/woff;base64," + _glyphs(file, text))
        for weight, file in FILES.items()
    )


def _face(weight: int, url: str) -> Markup:
    return Markup(  # noqa: S704 - a path or base64 of ours
        f"@font-face {{ font-family: '{FAMILY}'; font-weight: {weight};"
        f" font-display: swap; src: url('{url}') format('woff'); }}"
    )


def _glyphs(file: Path, text: str) -> str:
    from fontTools import subset  # type: ignore[import-untyped]

    # of all that the font can do with letters, our pages ask for the distances only;
    # the rest takes three times as long to cut and is as large as the glyphs
    features = {"layout_features": ["kern"]}
    options = subset.Options(flavor="woff", notdef_outline=True, **features)
    font = subset.load_font(str(file), options)
    worker = subset.Subsetter(options)
    worker.populate(text=text)
    worker.subset(font)
    out = io.BytesIO()
    font.save(out)
    return base64.b64encode(out.getvalue()).decode("ascii")
