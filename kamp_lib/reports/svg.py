"""Letting an SVG of a bundle into a page: only shapes and text, nothing that acts.

A bundle is written by the people of a company, and a page may be read beside another
company's. Whatever is not on the short list of shapes and attributes is dropped.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from markupsafe import Markup

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
SHAPES = frozenset(
    "svg g defs clipPath path rect circle line polyline polygon text tspan title"  # noqa: SIM905
    " use".split()
)
ATTRIBUTES = frozenset(
    "id d x y x1 y1 x2 y2 cx cy r rx ry dx dy width height viewBox transform points"  # noqa: SIM905
    " clip-path style fill stroke stroke-width stroke-dasharray opacity text-anchor"
    " version preserveAspectRatio role".split()
)
# `url(#clip)` points into the same figure; any other url would leave the page.
OUTWARD = re.compile(r"url\s*\(\s*['\"]?(?!#)|@import|expression|javascript:|\\", re.I)
LARGEST = 2_000_000
DEEPEST = 100


def safe_svg(text: str, label: str = "") -> Markup:
    """The shapes of an SVG as markup for a page; empty when it is not SVG at all."""
    if len(text) > LARGEST or "<!ENTITY" in text:
        return Markup()
    try:
        root = ET.fromstring(text)  # noqa: S314 - no entities, and expat stops bombs
    except ET.ParseError:
        return Markup()
    if root.tag != f"{{{SVG}}}svg" or _depth(root) > DEEPEST:
        return Markup()
    _clean(root)
    root.attrib.pop("style", None)  # the root is a box of the page: CSS places it
    root.set("role", "img")
    if label:
        root.set("aria-label", label)
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - cleaned above


def _depth(element: ET.Element) -> int:
    """How deep groups lie in groups, as far as anybody draws."""
    depth, level = 0, [element]
    while level and depth <= DEEPEST:
        depth, level = depth + 1, [child for parent in level for child in parent]
    return depth


def _clean(element: ET.Element) -> None:
    for name in list(element.attrib):
        if not _allowed(name, element.attrib[name]):
            del element.attrib[name]
    for child in list(element):
        space, _, tag = str(child.tag).rpartition("}")
        if space != f"{{{SVG}" or tag not in SHAPES:
            element.remove(child)
        else:
            _clean(child)


def _allowed(name: str, value: str) -> bool:
    if name in (f"{{{XLINK}}}href", "href"):
        return value.startswith("#")
    return name in ATTRIBUTES and not OUTWARD.search(value)
