"""Every benchmark, one after the other, and the tables of docs/performance.md.

    make bench                     # about an hour; quick: make bench QUICK=1
    python benchmarks/bench.py kernels hub      # only these
    python benchmarks/bench.py --page           # no measuring: the page from the results

Each is a script of its own (`measure.py` says what they have in common) in a process of its
own. One that fails is named at the end, and the others go on. A table stands in the page
between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`; whatever is around it is for people
to write. Quick results stay out of it.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
import time
from pathlib import Path

from figures import Results, table
from measure import RESULTS

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "performance.md"
# What a busy machine would spoil most comes first, what takes longest last.
FIRST, LAST = ("kernels", "hub", "pages", "run_timings", "fleet"), ("scale", "crowd")


def main() -> None:
    there = benchmarks(HERE)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="; ".join(there))
    parser.add_argument("--quick", action="store_true", help="small, few rounds")
    parser.add_argument("--page", action="store_true", help="only write the page")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(there)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    names = [] if chosen.page else chosen.names or list(there)
    failed = [name for name in names if not measured(name, there[name], chosen.quick)]
    if not chosen.quick:
        PAGE.write_text(with_tables(PAGE.read_text(), results(RESULTS)))
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def benchmarks(folder: Path) -> dict[str, str]:
    """The scripts that open a `Session`, in the order to run them, and what each says."""
    found: dict[str, str] = {}
    for file in sorted(folder.glob("*.py")):
        tree = ast.parse(file.read_text())
        taken = [n for n in tree.body if isinstance(n, ast.ImportFrom)]
        names = [a.name for n in taken if n.module == "measure" for a in n.names]
        if "Session" in names:
            found[file.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    between = [name for name in found if name not in (*FIRST, *LAST)]
    order = [name for name in (*FIRST, *between, *LAST) if name in found]
    return {name: found[name] for name in order}


def measured(name: str, what: str, quick: bool) -> bool:
    """Run one benchmark; whether it came to an end."""
    print(f"\n== {name}: {what}", flush=True)
    began = time.monotonic()
    command = [sys.executable, str(HERE / f"{name}.py"), *(["--quick"] * quick)]
    status = subprocess.run(command, check=False).returncode
    print(f"== {name}: {time.monotonic() - began:.0f} s", flush=True)
    return status == 0


def results(folder: Path) -> dict[str, Results]:
    """The results of a folder, by the benchmark's name."""
    return {file.stem: Results.read(file) for file in sorted(folder.glob("*.json"))}


def with_tables(page: str, found: dict[str, Results]) -> str:
    """The page with the tables of all benchmarks that have results and a place in it."""

    def filled(place: re.Match[str]) -> str:
        name = place["name"]
        inside = f"\n{table(found[name])}\n" if name in found else place["inside"]
        return f"<!-- bench:{name} -->{inside}<!-- /bench:{name} -->"

    pattern = r"<!-- bench:(?P<name>\w+) -->(?P<inside>.*?)<!-- /bench:(?P=name) -->"
    return re.sub(pattern, filled, page, flags=re.DOTALL)


if __name__ == "__main__":
    main()
