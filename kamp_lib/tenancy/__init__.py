"""Companies (SMEs) on disk: one folder each, complete in itself.

People, roles and plans join this room with the hub.
"""

from kamp_lib.tenancy.tenants import (
    Tenant,
    add_tenant,
    list_tenants,
    tenant_at,
    tenant_named,
)

__all__ = ["Tenant", "add_tenant", "list_tenants", "tenant_at", "tenant_named"]
