"""Schedules, and each time that one was due."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NAME = sa.String(30)
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _schedules()
    _firings()


def _schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", NAME, nullable=False),
        sa.Column("model", sa.String(100), nullable=False),
        sa.Column("dataset", sa.String(200), nullable=True),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("minute", sa.Integer(), nullable=True),
        sa.Column("weekday", sa.Integer(), nullable=True),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.Column("handled", MOMENT, nullable=False),
        sa.Column("seen", sa.String(64), nullable=False),
        sa.CheckConstraint(
            "kind IN ('nightly', 'weekly', 'new-data')", name=op.f("ck_schedules_kind")
        ),
        sa.ForeignKeyConstraint(
            ["slug"], ["smes.slug"], name=op.f("fk_schedules_slug"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
    )
    op.create_index(op.f("ix_schedules_slug"), "schedules", ["slug"])


def _firings() -> None:
    op.create_table(
        "firings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("schedule", sa.Integer(), nullable=False),
        sa.Column("due", MOMENT, nullable=False),
        sa.Column("started", MOMENT, nullable=False),
        sa.Column("finished", MOMENT, nullable=True),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("runs", sa.JSON(), nullable=False),
        sa.Column("said_ko", sa.Text(), nullable=False),
        sa.Column("said_en", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "status IN ('running', 'succeeded', 'failed', 'skipped', 'interrupted')",
            name=op.f("ck_firings_status"),
        ),
        sa.ForeignKeyConstraint(
            ["schedule"],
            ["schedules.id"],
            name=op.f("fk_firings_schedule"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_firings")),
    )
    op.create_index(op.f("ix_firings_schedule"), "firings", ["schedule"])
