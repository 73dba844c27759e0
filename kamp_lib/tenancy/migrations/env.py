"""Run by Alembic, on the connection that `kamp_lib.tenancy.schema` opened."""

from alembic import context

from kamp_lib.tenancy.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite changes a table by copying it
    transactional_ddl=True,
)
context.run_migrations()
