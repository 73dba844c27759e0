"""All that one server works with: the company, its uploads, jobs and data sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from kamp_lib.settings import settings
from kamp_lib.tenancy import Tenant
from kamp_lib.workspace.jobs import JobBoard
from kamp_lib.workspace.shelf import Shelf
from kamp_lib.workspace.uploads import Uploads


@dataclass
class Desk:
    """Opened when the server starts, cleared when it stops."""

    tenant: Tenant
    jobs: JobBoard
    uploads: Uploads
    shelf: Shelf
    pages: dict[tuple[str, ...], bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, tenant: Tenant, log: Callable[..., object]) -> Desk:
        home = str(tenant.home)
        jobs = JobBoard(lambda: {"KAMP_TENANT_HOME": home}, log)
        return cls(tenant, jobs, Uploads(tenant), Shelf(tenant, jobs))

    @property
    def person(self) -> str | None:
        """Who works here; nobody in particular outside a hub."""
        return settings().person_name or settings().person

    async def close(self) -> None:
        """Stop the jobs and remove what was uploaded."""
        await self.jobs.close()
        self.uploads.close()
