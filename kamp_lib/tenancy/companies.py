"""The registry's part about companies: a row and a folder each, made and removed together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy.orm import Session

from kamp_lib.errors import KampError
from kamp_lib.settings import settings
from kamp_lib.tenancy import names, removal, smes
from kamp_lib.tenancy.book import Book
from kamp_lib.tenancy.plans import DEFAULT
from kamp_lib.tenancy.tenants import (
    Tenant,
    add_tenant,
    check_slug,
    list_tenants,
    tenant_at,
)
from kamp_lib.tenancy.types import Sme, Status
from kamp_lib.text import Text


class Companies(Book):
    """Companies by slug."""

    def smes(self) -> list[Sme]:
        """All companies, by slug."""
        with self._reading() as session:
            return smes.listed(session)

    def sme(self, slug: str) -> Sme:
        """The company `slug`; unknown is a `KampError`."""
        with self._reading() as session:
            return smes.found(session, slug)

    def add_sme(
        self,
        slug: str,
        name_ko: str,
        name_en: str | None = None,
        *,
        industry: str = "",
        equipment: tuple[str, ...] = (),
        time_zone: str = "Asia/Seoul",
        plan: str = DEFAULT,
        demo: bool = False,
    ) -> Sme:
        """A new company: its folder and its row.

        The folder is made while the row waits to be committed. Killed in between, the
        folder is left without a row; the same call again takes it over, and so does
        `adopt`. There is never a row without a folder.
        """
        check_slug(slug)
        smes.check(industry, plan)
        with self._writing() as session:
            names.take(session, slug, "sme")
            tenant = _folder_of(
                self.home,
                Tenant(
                    slug,
                    Text(name_ko, name_en or name_ko),
                    self.home / "tenants" / slug,
                    equipment,
                    time_zone,
                    demo,
                ),
            )
            return self._register(session, tenant, industry, plan)

    def _register(
        self, session: Session, tenant: Tenant, industry: str, plan: str
    ) -> Sme:
        sme = smes.add(
            session,
            tenant,
            industry=industry,
            plan=plan,
            uid_base=settings().uid_base,
            now=self.now(),
        )
        self._note(session, "tenant.add", sme.slug, plan=plan, uid=sme.uid)
        return sme

    def adopt(self, *, refused: Callable[[KampError], None] | None = None) -> list[Sme]:
        """Give every folder without a row one; `refused` is told what cannot have one."""
        adopted = []
        known = {sme.slug for sme in self.smes()}
        for tenant in list_tenants(self.home, unreadable=refused):
            if tenant.slug in known:
                continue
            try:
                with self._writing() as session:
                    names.take(session, tenant.slug, "sme")
                    adopted.append(self._register(session, tenant, "", DEFAULT))
            except KampError as error:  # a person has that name
                if refused is not None:
                    refused(error)
        return adopted

    def suspend(self, slug: str) -> None:
        """Nobody opens this company until it is resumed; nothing is deleted."""
        self._set_status(slug, "suspended")

    def resume(self, slug: str) -> None:
        """The company is open again."""
        self._set_status(slug, "active")

    def _set_status(self, slug: str, status: Status) -> None:
        with self._writing() as session:
            if smes.set_status(session, slug, status):
                verb = "suspend" if status == "suspended" else "resume"
                self._note(session, f"tenant.{verb}", slug)

    def remove_sme(self, slug: str) -> None:
        """The company, everybody's roles in it, and its folder; nothing comes back.

        The folder is moved out of sight before the row goes, and deleted after it. A
        call that was killed can be made again at any point.

        Raises
        ------
        KampError
            When there is no such company, nor anything left of one.
        """
        folder = self.folder(slug)
        with self._writing() as session:
            if smes.exists(session, slug):
                removal.move_away(folder)
                smes.remove(session, slug)
                self._note(session, "tenant.remove", slug)
            elif not (names.is_legal(slug) and removal.remains(folder.parent, slug)):
                smes.found(session, slug)  # says that there is none
        removal.sweep(folder.parent, slug)


def _folder_of(home: Path, wanted: Tenant) -> Tenant:
    """The folder of a new company; what a killed call left behind is taken over."""
    if not (wanted.home / "tenant.toml").exists():
        return add_tenant(
            wanted.slug,
            wanted.name.ko,
            wanted.name.en,
            equipment=wanted.equipment,
            time_zone=wanted.time_zone,
            demo=wanted.demo,
            home=home,
        )
    left = tenant_at(wanted.home)
    if left == wanted:
        return left
    raise KampError(
        f"기업 '{wanted.slug}'의 폴더가 이미 있고 내용이 다릅니다: {wanted.home}."
        " 그대로 등록하려면: kamp init",
        f"the company {wanted.slug!r} has a folder already, with other content:"
        f" {wanted.home}. To register it as it is: kamp init",
    )
