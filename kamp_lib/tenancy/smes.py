"""Companies in the registry: rows beside their folders."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from kamp_lib.errors import KampError, UsageError
from kamp_lib.tenancy import names
from kamp_lib.tenancy.database import one_at_a_time
from kamp_lib.tenancy.plans import plan_named
from kamp_lib.tenancy.tables import SmeRow, UidRow
from kamp_lib.tenancy.tenants import Tenant
from kamp_lib.tenancy.types import Sme, Status
from kamp_lib.text import Text


def listed(session: Session) -> list[Sme]:
    """All companies, by slug."""
    return [_as_sme(row) for row in session.scalars(select(SmeRow).order_by("slug"))]


def found(session: Session, slug: str) -> Sme:
    """The company `slug`."""
    return _as_sme(_row(session, slug))


def check(industry: str, plan: str) -> None:
    """Refuse what no company can have, before anything is made."""
    plan_named(plan)
    if not industry.isprintable() or len(industry) > names.LONGEST:
        raise UsageError(
            f"업종은 한 줄로 {names.LONGEST}자까지 적으세요.",
            f"write the industry in one line of {names.LONGEST} letters at most.",
        )


def add(
    session: Session,
    tenant: Tenant,
    *,
    industry: str,
    plan: str,
    uid_base: int,
    now: datetime,
) -> Sme:
    """The row of a company, whose name is taken and whose folder is made."""
    row = SmeRow(
        slug=tenant.slug,
        name_ko=tenant.name.ko,
        name_en=tenant.name.en,
        industry=industry,
        equipment=list(tenant.equipment),
        time_zone=tenant.time_zone,
        plan=plan,
        status="active",
        demo=tenant.demo,
        uid=_new_uid(session, tenant.slug, uid_base, now),
        created=now,
    )
    session.add(row)
    session.flush()
    return _as_sme(row)


def _new_uid(session: Session, slug: str, base: int, now: datetime) -> int:
    """A user id that no company ever had: backups and left-over files keep their owner."""
    one_at_a_time(session, "uids")
    last = session.scalar(select(func.max(UidRow.uid)))
    uid = base if last is None else max(base, last + 1)
    session.add(UidRow(uid=uid, slug=slug, given=now))
    session.flush()
    return uid


def set_status(session: Session, slug: str, status: Status) -> bool:
    """Suspend or resume; False when it is so already."""
    row = _row(session, slug)
    changed = row.status != status
    row.status = status
    return changed


def exists(session: Session, slug: str) -> bool:
    """Whether there is such a company."""
    return names.is_legal(slug) and session.get(SmeRow, slug) is not None


def remove(session: Session, slug: str) -> None:
    """The row and everybody's roles in it; the user id stays given."""
    session.execute(delete(SmeRow).where(SmeRow.slug == slug))


def _row(session: Session, slug: str) -> SmeRow:
    # a name that breaks the rule may hold letters that a database refuses
    row = session.get(SmeRow, slug) if names.is_legal(slug) else None
    if row is None:
        raise KampError(
            f"등록된 기업 가운데 '{slug}'이(가) 없습니다. 기업 목록: kamp tenant list",
            f"there is no registered company {slug!r}; kamp tenant list shows them.",
        )
    return row


def _as_sme(row: SmeRow) -> Sme:
    status: Status = "active" if row.status == "active" else "suspended"
    return Sme(
        slug=row.slug,
        name=Text(row.name_ko, row.name_en),
        industry=row.industry,
        equipment=tuple(row.equipment),
        time_zone=row.time_zone,
        plan=plan_named(row.plan),
        status=status,
        uid=row.uid,
        demo=row.demo,
        created=row.created,
    )
