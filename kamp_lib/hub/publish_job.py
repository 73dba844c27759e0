"""One release or withdrawal, in a process of its own: `python -m kamp_lib.hub.publish_job`.

It reads what a company wrote, so it may use only so much memory, time and disk; whatever
happens to it, the hub that started it goes on. The answer is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import resource

from kamp_lib.errors import KampError
from kamp_lib.reports.copying import LARGEST_BUNDLE
from kamp_lib.reports.notes import Publication, read_publication
from kamp_lib.reports.publication import publish, withdraw
from kamp_lib.tenancy import tenant_named

MEMORY = 2 * 2**30
CPU_S = 120


def main(argv: list[str] | None = None) -> None:
    """Do it, and print what was done or why not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["publish", "withdraw"])
    parser.add_argument("slug")
    parser.add_argument("run")
    parser.add_argument("--by", required=True)
    parser.add_argument("--most", type=int)
    asked = parser.parse_args(argv)
    _limit()
    try:
        note = carry_out(asked.action, asked.slug, asked.run, asked.by, asked.most)
    except KampError as error:
        print(json.dumps({"refused": error.text.model_dump()}, ensure_ascii=False))
        return
    print(note.model_dump_json(exclude={"sha256"}))


def carry_out(
    action: str, slug: str, run: str, by: str, most: int | None
) -> Publication:
    """The work itself; returns the note that now stands in `published/`."""
    tenant = tenant_named(slug)
    if action == "withdraw":
        return withdraw(tenant, run, by=by)
    note = read_publication(publish(tenant, run, by=by, most=most))
    if note is None:
        raise KampError(
            "게시한 기록을 읽을 수 없습니다.", "the note of the release cannot be read."
        )
    return note


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_BUNDLE, LARGEST_BUNDLE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
