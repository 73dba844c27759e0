"""Take the real factory files from raw file to page and print what was found and scored.

    python benchmarks/real_data.py ../shared/data > found.md

The files may not be redistributed; get them from where docs/real-data.md says. A folder
that is absent is skipped, and the table says so.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from kamp_lib.errors import KampError
from kamp_lib.tenancy import add_tenant
from kamp_lib.workbench import Company


@dataclass(frozen=True)
class Case:
    """One real input: what is given to the door, and which model runs on it."""

    title: str
    equipment: str
    files: tuple[str, ...]
    model: str | None
    labels: str | None = None
    on: str | None = None


CASES = (
    Case(
        "KAMP injection, labeled_data.csv",
        "injection-moulding",
        ("kamp_injection_moulding/labeled_data.csv",),
        "injection-quality",
    ),
    Case(
        "KAMP injection, molding.parquet",
        "injection-moulding",
        ("kamp_injection_moulding/molding.parquet",),
        None,
    ),
    Case(
        "KAMP injection, moldset_labeled_cn7_missing.csv",
        "injection-moulding",
        ("kamp_injection_moulding/moldset_labeled_cn7_missing.csv",),
        None,
    ),
    Case(
        "KAMP CNC, 25 run files + train.csv",
        "cnc-machine",
        tuple(f"kamp_cnc/experiment_{n:02d}.csv" for n in range(1, 26)),
        "cnc-machining-quality",
        labels="kamp_cnc/train.csv",
        on="No",
    ),
    Case("KAMP press", "press", ("kamp_press/press.csv",), "press-die-breakage"),
    Case(
        "casting images",
        "machine-vision",
        ("vision_casting",),
        "machine-vision-surface",
    ),
    Case(
        "chromate images",
        "machine-vision",
        ("kamp_chromate",),
        "machine-vision-surface",
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--keep", type=Path, help="KAMP_HOME to build and keep")
    parser.add_argument("--only", default="", help="run the cases whose title has this")
    options = parser.parse_args()
    os.environ["KAMP_LANG"] = "en"
    with tempfile.TemporaryDirectory() as place:
        home = options.keep or Path(place)
        for number, case in enumerate(CASES, start=1):
            if options.only in case.title:
                print(f"\n## {case.title}\n")
                take(case, options.data, home, f"real-{number}")


def take(case: Case, data: Path, home: Path, slug: str) -> None:
    """Ingest, run and publish one case, printing Markdown."""
    files = [data / file for file in case.files]
    if not all(file.exists() for file in files):
        print("Skipped: the files are not here.")
        return
    company = Company(
        add_tenant(slug, case.title, equipment=(case.equipment,), home=home)
    )
    began = time.perf_counter()
    result = company.ingest(
        case.equipment,
        files,
        labels=data / case.labels if case.labels else None,
        on=case.on,
    )
    print(
        f"Read {result.rows_read:,} = stored {result.rows_stored:,} + quarantined "
        f"{result.rows_quarantined:,} + duplicates {result.rows_duplicate:,}; quality "
        f"{result.quality.score:.0f}; {time.perf_counter() - began:.1f} s.\n"
    )
    print("| finding | severity | count | what |\n|---|---|---|---|")
    for finding in result.findings:
        print(
            f"| `{finding.code}` | {finding.severity} | {finding.count:,} "
            f"| {finding.message_en} |"
        )
    if case.model is not None:
        judge(company, case.model)
    sys.stdout.flush()


def judge(company: Company, model: str) -> None:
    """Run, publish and export one model, printing its figures."""
    bundle = company.run(model)
    record = bundle.record
    if record.verdict is None or record.split is None:
        raise KampError(str(record.reason), str(record.reason))
    print(f"\n**{record.verdict.value}**: {record.verdict.sentence.en}\n")
    for reason in record.verdict.reasons:
        print(f"- `{reason.code}`: {reason.message_en}")
    for more in record.verdict.collect:
        print(f"- collect: {more.en}")
    print(
        f"\nSplit: {record.split.how.en} Method: {record.method}. {record.seconds:.1f} s."
    )
    print(
        "\n| score | honest | interval | baseline | if shuffled |\n|---|---|---|---|---|"
    )
    for name, score in record.metrics.items():
        low, high = shown(score.low), shown(score.high)
        base, fake = record.baseline.get(name), record.shuffled.get(name)
        print(
            f"| {name} | {shown(score.value)} | {low}–{high} "
            f"| {shown(base.value if base else None)} | {shown(fake.value if fake else None)} |"
        )
    groups = bundle.table("groups")
    if not groups.empty and len(groups) <= 30:
        columns = ["group", "cases", "positives", "average_precision", "baseline"]
        print("\n| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
        for row in groups[columns].itertuples(index=False):
            print("| " + " | ".join(cell(value) for value in row) + " |")
    company.publish(record.run)


def shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def cell(value: object) -> str:
    if isinstance(value, float):
        return shown(None if value != value else value)
    return str(value)


if __name__ == "__main__":
    main()
