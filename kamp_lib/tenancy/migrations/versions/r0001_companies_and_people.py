"""Companies, people, roles, sign-in attempts, audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NAME = sa.String(30)
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _names()
    _smes()
    _people()
    _attempts()
    _audit()


def _names() -> None:
    op.create_table(
        "names",
        sa.Column("name", NAME, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.CheckConstraint("kind IN ('sme', 'person')", name=op.f("ck_names_kind")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_names")),
    )


def _smes() -> None:
    op.create_table(
        "uids",
        sa.Column("uid", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slug", NAME, nullable=False),
        sa.Column("given", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_uids")),
    )
    op.create_table(
        "smes",
        sa.Column("slug", NAME, nullable=False),
        sa.Column("name_ko", sa.String(100), nullable=False),
        sa.Column("name_en", sa.String(100), nullable=False),
        sa.Column("industry", sa.String(100), nullable=False),
        sa.Column("equipment", sa.JSON(), nullable=False),
        sa.Column("time_zone", sa.String(100), nullable=False),
        sa.Column("plan", NAME, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("uid", sa.Integer(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.CheckConstraint(
            "status IN ('active', 'suspended')", name=op.f("ck_smes_status")
        ),
        sa.ForeignKeyConstraint(
            ["slug"], ["names.name"], name=op.f("fk_smes_slug"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["uid"], ["uids.uid"], name=op.f("fk_smes_uid")),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_smes")),
        sa.UniqueConstraint("uid", name=op.f("uq_smes_uid")),
    )


def _people() -> None:
    op.create_table(
        "people",
        sa.Column("name", NAME, nullable=False),
        sa.Column("display_name", sa.String(100), nullable=False),
        sa.Column("email", sa.String(254), nullable=True),
        sa.Column("operator", sa.Boolean(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["name"], ["names.name"], name=op.f("fk_people_name"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_people")),
    )
    op.create_table(
        "roles",
        sa.Column("person", NAME, nullable=False),
        sa.Column("slug", NAME, nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.CheckConstraint(
            "role IN ('analyst', 'manager', 'consultant')", name=op.f("ck_roles_role")
        ),
        sa.ForeignKeyConstraint(
            ["person"],
            ["people.name"],
            name=op.f("fk_roles_person"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["slug"], ["smes.slug"], name=op.f("fk_roles_slug"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person", "slug", "role", name=op.f("pk_roles")),
    )
    op.create_index(op.f("ix_roles_slug"), "roles", ["slug"])


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_at"), "attempts", ["at"])
    op.create_index(op.f("ix_attempts_name"), "attempts", ["name"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("action", sa.String(100), nullable=False),
        sa.Column("subject", sa.String(100), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_subject"), "audit", ["subject"])
