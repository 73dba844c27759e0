"""One company opened for work: the rooms of the house behind one door, for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kamp_lib.progress import Progress, silent
from kamp_lib.tenancy import Tenant, tenant_named
from kamp_lib.text import Text

if TYPE_CHECKING:
    from kamp_lib.datasets import Dataset, IngestResult
    from kamp_lib.reports.dataset_html import DatasetPage
    from kamp_lib.runs import Bundle


@dataclass(frozen=True)
class Company:
    """A company (SME), its data sets and its runs.

    Examples
    --------
    >>> company = open_tenant("haneul-mold")                      # doctest: +SKIP
    >>> company.ingest("injection-moulding", "shots.csv")         # doctest: +SKIP
    >>> company.run("injection-quality", cost_missed=80_000)      # doctest: +SKIP
    """

    tenant: Tenant

    def datasets(self) -> list[Dataset]:
        """All data sets of the company."""
        from kamp_lib.datasets import list_datasets

        return list_datasets(self.tenant)

    def dataset(self, name: str | None = None, version: int | None = None) -> Dataset:
        """The data set `name` (may be left out when there is only one)."""
        from kamp_lib.datasets import open_dataset

        return open_dataset(self.tenant, name, version=version)

    def page(
        self,
        name: str | None = None,
        version: int | None = None,
        *,
        progress: Progress = silent,
    ) -> DatasetPage:
        """The page of a data set: quality, findings, and every column by itself."""
        from kamp_lib import reports

        return reports.dataset_page(self.dataset(name, version), progress=progress)

    def ingest(
        self,
        equipment: str,
        files: str | Path | Sequence[str | Path],
        *,
        progress: Progress = silent,
        **options: Any,
    ) -> IngestResult:
        """Bring files in; the options are those of `kamp_lib.datasets.ingest`."""
        from kamp_lib.datasets import ingest

        several = [files] if isinstance(files, (str, Path)) else list(files)
        paths = [Path(file) for file in several]
        return ingest(self.tenant, equipment, paths, progress=progress, **options)

    def run(
        self,
        model: str,
        *,
        dataset: str | None = None,
        version: int | None = None,
        progress: Progress = silent,
        **parameters: Any,
    ) -> Bundle:
        """Run a standard model (or a problem family by its name) and open its bundle."""
        from kamp_lib import reports, runs

        return runs.execute(
            self.tenant,
            model,
            dataset=dataset,
            version=version,
            parameters=parameters,
            on_staged=reports.write_first_paint,
            progress=progress,
        )

    def runs(self) -> list[Bundle]:
        """Finished runs, newest first."""
        from kamp_lib.runs import list_runs

        return list_runs(self.tenant)

    def bundle(self, run: str = "latest") -> Bundle:
        """One run, by id, by the start of its id, or the latest."""
        from kamp_lib.runs import open_run

        return open_run(self.tenant, run)

    def publish(self, run: str = "latest") -> Path:
        """Release a run's decision page; returns the published folder."""
        from kamp_lib.reports import release

        return self.tenant.published / release.publish(self.tenant, run).run

    def _repr_html_(self) -> str:
        sets = "".join(
            f"<li>{escape(d.name)} v{d.version} · {d.rows:,}</li>"
            for d in self.datasets()
        )
        done = "".join(f"<li>{escape(b.path.name)}</li>" for b in self.runs()[:5])
        none = f"<li>{escape(str(Text('아직 없습니다', 'none yet')))}</li>"
        return (
            f"<h4>{escape(str(self.tenant.name))} ({escape(self.tenant.slug)})</h4>"
            f"{Text('데이터셋', 'Data sets')}<ul>{sets or none}</ul>"
            f"{Text('최근 분석 실행', 'Latest runs')}<ul>{done or none}</ul>"
        )


def open_tenant(name: str | None = None) -> Company:
    """Open a company by its id; without one, the company this workspace belongs to."""
    return Company(tenant_named(name))
