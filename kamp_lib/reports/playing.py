"""From a published notebook to a page in its kernel: one request, one answer.

The kernel executes the notebook's cells one after the other and puts what they return
into one widget, whose id every page knows beforehand. So the page that shows it can be
sent before there is a kernel.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

import nbformat
from traitlets.log import get_logger

from kamp_lib.errors import KampError

# The widget that holds a page.
PAGE_ID = "kamp-page"
# In which time a page has to stand.
BEGIN_S = 120.0
LOOK_S = 1.0
BUILT = "kamp_page"

# The widgets of a page: id -> model.
State = dict[str, Any]


@dataclass(frozen=True)
class Script:
    """What a kernel plays: the cells of a report, in its folder, as it was asked for."""

    folder: Path
    query: str
    cells: list[str]


def cells_of(notebook: Path) -> list[str]:
    """The sources of a notebook's code cells.

    Raises
    ------
    KampError
        When it is none.
    """
    try:
        cells = nbformat.read(notebook, as_version=4).cells
        return [cell.source for cell in cells if cell.cell_type == "code"]
    except (OSError, ValueError, AttributeError, nbformat.ValidationError) as error:
        raise KampError(
            f"보고서를 읽을 수 없습니다: {notebook.parent.name}",
            f"cannot read the report {notebook.parent.name}",
        ) from error


async def play(manager: Any, script: Script) -> State:
    """Have the kernel of this manager build the page; returns its widgets' state.

    Raises
    ------
    RuntimeError
        When the kernel ends, or takes too long.
    """
    client = manager.client()
    # the answer is all that is wanted: no outputs, no heartbeat
    client.start_channels(iopub=False, stdin=False, hb=False, control=False)
    try:
        return await _played(client, script)
    finally:
        client.stop_channels()


async def _played(client: Any, script: Script) -> State:
    told = json.dumps([PAGE_ID, str(script.folder), script.query, script.cells])
    asked = client.execute(
        "from kamp_lib.reports.cells import play as _play\n"
        f"{BUILT} = _play(*__import__('json').loads({told!r}))",
        store_history=False,
        allow_stdin=False,
        user_expressions={BUILT: BUILT},
    )
    until = time.monotonic() + BEGIN_S
    while time.monotonic() < until:
        try:
            answer = await client.shell_channel.get_msg(timeout=LOOK_S)
        except Empty:
            if not await client.is_alive():
                raise RuntimeError("the kernel ended while the page began") from None
            continue
        if answer["parent_header"].get("msg_id") != asked:
            continue
        content = answer["content"]
        if content["status"] != "ok":
            why = f"{content.get('ename')}: {content.get('evalue')}"
            raise RuntimeError(f"the page could not be built: {why}")
        built = content["user_expressions"][BUILT]["data"]["application/json"]
        if built["error"]:
            # the page says it in plain words; here is what happened
            get_logger().warning("a part of a page is broken: %s", built["error"])
        return dict(built["state"])
    raise RuntimeError(f"the page did not stand within {BEGIN_S:.0f} s")
