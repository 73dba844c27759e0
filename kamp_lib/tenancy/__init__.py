"""Companies (SMEs) on disk, one folder each, complete in itself; and the registry of them.

The registry (people, roles, plans, sign-in) needs the platform database. Whoever only
works in a company's folder never loads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kamp_lib.tenancy.plans import Plan, plan_named, plans
from kamp_lib.tenancy.tenants import (
    Tenant,
    add_tenant,
    list_tenants,
    tenant_at,
    tenant_named,
)
from kamp_lib.tenancy.types import Access, AuditEntry, Person, Role, SignIn, Sme

if TYPE_CHECKING:
    from kamp_lib.tenancy.registry import Registry

__all__ = [
    "Access",
    "AuditEntry",
    "Person",
    "Plan",
    "Registry",
    "Role",
    "SignIn",
    "Sme",
    "Tenant",
    "add_tenant",
    "list_tenants",
    "open_registry",
    "plan_named",
    "plans",
    "tenant_at",
    "tenant_named",
]


def open_registry(url: str | None = None, **options: Any) -> Registry:
    """The registry of this platform; see `kamp_lib.tenancy.registry.open_registry`."""
    from kamp_lib.tenancy import registry

    return registry.open_registry(url, **options)


def __getattr__(name: str) -> Any:
    """`Registry` for annotations, loaded when somebody asks for it."""
    if name == "Registry":
        from kamp_lib.tenancy.registry import Registry

        return Registry
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
