"""What `kamp run` costs beside stock Papermill, on the same notebook and the same data.

    python benchmarks/run_timings.py --rounds 5 --size demo

Stock Papermill executes the same analysis template by hand (`papermill template out
-p tenant … -p model …`), so both compute the same numbers. What `kamp run` adds is the
check of the parameters, the first paint, the fsync and the rename; what it saves is the
progress bar and the autosave of the notebook.
"""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
from pathlib import Path

from measure import Figure, Session, alternate, options, run

from kamp_lib.catalog import standard_model
from kamp_lib.datasets import ingest
from kamp_lib.settings import settings
from kamp_lib.tenancy import Tenant, add_tenant
from kamp_lib.testbed import demo_companies, simulate

BIN = Path(sys.executable).parent


def commands(
    tenant: Tenant, model: str, family: str, out: Path
) -> dict[str, list[str]]:
    """The two ways to execute the same analysis."""
    template = settings().templates / "analyses" / f"{family}.ipynb"
    stock = [str(BIN / "papermill"), str(template), str(out / f"{model}.ipynb")]
    stock += ["-p", "tenant", tenant.slug, "-p", "model", model]
    return {
        "stock": stock,
        "ours": [str(BIN / "kamp"), "run", tenant.slug, model, "--json"],
    }


def main() -> None:
    parser = options(__doc__, rounds=3)
    parser.add_argument("--size", default="fast", choices=["fast", "demo"])
    chosen = parser.parse_args()
    with (
        Session("run_timings", chosen, packages=("papermill",)) as session,
        tempfile.TemporaryDirectory() as place,
    ):
        home = Path(place)
        environment = {**os.environ, "KAMP_HOME": place}
        companies = demo_companies()
        for company in companies[:1] if chosen.quick else companies:
            model = company.model
            tenant = add_tenant(
                company.slug, company.ko, equipment=(company.equipment,), home=home
            )
            raw = simulate(model, home / "raw" / company.slug, size=chosen.size)
            ingest(tenant, company.equipment, raw.files, labels=raw.labels, on=raw.on)
            ways = commands(tenant, model, standard_model(model).family, home)
            taken = alternate(
                {way: partial(run, told, environment) for way, told in ways.items()},
                chosen.rounds,
            )
            session.add(Figure(model, "s", taken["ours"], taken["stock"]))


if __name__ == "__main__":
    main()
