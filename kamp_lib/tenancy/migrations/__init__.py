"""Alembic's migrations of the platform database, run by `kamp_lib.tenancy.schema`."""
