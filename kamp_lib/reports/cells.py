"""Inside a page's kernel: what the notebook's cells return becomes one widget."""

from __future__ import annotations

import os
from typing import Any

import ipywidgets as widgets
from IPython.core.getipython import get_ipython
from IPython.display import JSON
from markupsafe import Markup

from kamp_lib.reports.blocks import templates
from kamp_lib.reports.live import asked_language
from kamp_lib.reports.words import Words, catalogue

# What every page renders is read and compiled once, before a kernel is copied.
for name in templates().list_templates(extensions=["html"]):
    templates().get_template(name)
catalogue()


def play(page_id: str, folder: str, query: str, cells: list[str]) -> JSON:
    """Execute the cells of a page, and put the widgets that they return into one.

    A cell that is broken ends the page, which says so in its place.

    Parameters
    ----------
    page_id : str
        By which a browser finds the page.
    folder : str
        Of the report; the cells are executed in it.
    query : str
        What was asked for beside the address of the page.
    cells : list of str

    Returns
    -------
    JSON
        `state`: all widgets by their id, as a browser needs them; `error`: what the
        broken cell raised, or null.
    """
    os.chdir(folder)
    os.environ["QUERY_STRING"] = query
    shell: Any = get_ipython()
    shown: list[widgets.Widget] = []
    error = None
    for source in cells:
        result = shell.run_cell(source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            shown.append(_broken())
            break
        if isinstance(result.result, widgets.Widget):
            shown.append(result.result)
    widgets.VBox(shown, model_id=page_id).add_class("kamp-whole")
    state = widgets.Widget.get_manager_state()["state"]
    told = f"{type(error).__name__}: {error}" if error is not None else None
    return JSON({"state": state, "error": told})


def _broken() -> widgets.HTML:
    """In the place of a part that cannot be shown; the end of the page."""
    words = Words(asked_language())
    said = Markup('<p class="kamp">{}</p>').format(words("page.broken"))
    return widgets.HTML(f'<section class="kamp-card kamp-broken">{said}</section>')
