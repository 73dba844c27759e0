"""A company's folder: `tenant.toml`, `data/`, `workspace/`, `runs/`, `published/`."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kamp_lib.errors import KampError, UsageError
from kamp_lib.settings import settings
from kamp_lib.text import Text

# JupyterHub 6's rule for server names; the hub user of a company is its slug.
SLUG = re.compile(r"[a-z][a-z0-9-]{0,29}")
LONGEST_NAME = 100
LARGEST_FILE = 65_536
RESERVED = frozenset({"report", "portal", "admin", "hub", "static", "services", "api"})
FOLDERS = ("data", "workspace", "runs", "published")


@dataclass(frozen=True)
class Tenant:
    """One company, opened from its folder alone."""

    slug: str
    name: Text
    home: Path
    equipment: tuple[str, ...] = ()
    time_zone: str = "Asia/Seoul"
    demo: bool = False

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def workspace(self) -> Path:
        return self.home / "workspace"

    @property
    def runs(self) -> Path:
        return self.home / "runs"

    @property
    def published(self) -> Path:
        return self.home / "published"


def check_slug(slug: str) -> str:
    """`slug` itself when it may name a company.

    Raises
    ------
    UsageError
        When it does not follow the rule or is reserved.
    """
    if not SLUG.fullmatch(slug) or slug in RESERVED:
        raise UsageError(
            f"기업 ID '{slug}'는 쓸 수 없습니다. 영문 소문자로 시작하고 소문자·숫자·'-'로 30자까지입니다"
            f" (예약어: {', '.join(sorted(RESERVED))}).",
            f"{slug!r} cannot name a company: start with a lower-case letter, then letters,"
            f" digits or '-', 30 at most (reserved: {', '.join(sorted(RESERVED))}).",
        )
    return slug


def add_tenant(
    slug: str,
    name_ko: str,
    name_en: str | None = None,
    *,
    equipment: tuple[str, ...] = (),
    time_zone: str = "Asia/Seoul",
    demo: bool = False,
    home: Path | None = None,
) -> Tenant:
    """Create a company's folder under `KAMP_HOME/tenants`.

    Raises
    ------
    KampError
        When the company exists, or its name or time zone will not do.
    """
    check_slug(slug)
    for name in (name_ko, name_en):
        if name is not None:
            _check_company_name(name)
    _check_time_zone(time_zone)
    folder = _tenants_folder(home) / slug
    if (folder / "tenant.toml").exists():
        raise KampError(
            f"기업 '{slug}'는 이미 있습니다: {folder}",
            f"the company {slug!r} exists already: {folder}",
        )
    tenant = Tenant(
        slug, Text(name_ko, name_en or name_ko), folder, equipment, time_zone, demo
    )
    for part in FOLDERS:
        (folder / part).mkdir(parents=True, exist_ok=True)
    partial = folder / f".tenant.toml.{os.getpid()}"
    try:
        partial.write_text(_as_toml(tenant), encoding="utf-8")
        partial.rename(folder / "tenant.toml")
    finally:
        partial.unlink(missing_ok=True)
    return tenant


def _check_company_name(name: str) -> None:
    if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise UsageError(
            f"기업 이름 {name!r}은(는) 쓸 수 없습니다. 한 줄로 {LONGEST_NAME}자까지 적으세요.",
            f"{name!r} cannot be a company's name; write one line of {LONGEST_NAME} letters at most.",
        )


def _check_time_zone(time_zone: str) -> None:
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"시간대 '{time_zone}'를 모릅니다. 예: Asia/Seoul",
            f"unknown time zone {time_zone!r}; for example Asia/Seoul",
        ) from error


def list_tenants(
    home: Path | None = None, *, unreadable: Callable[[KampError], None] | None = None
) -> list[Tenant]:
    """All companies under `KAMP_HOME`, by slug.

    A company whose `tenant.toml` was tampered with is left out, so that it does not
    stand in the way of the others; `unreadable` is told why.
    """
    try:
        folders = sorted(_tenants_folder(home).iterdir())
    except FileNotFoundError:
        return []
    found = []
    for folder in folders:
        # what a removal put aside is no company any more
        if folder.name.startswith(".") or not (folder / "tenant.toml").is_file():
            continue
        try:
            found.append(_own(folder))
        except KampError as error:
            if unreadable is not None:
                unreadable(error)
    return found


def tenant_named(slug: str | None = None, home: Path | None = None) -> Tenant:
    """The company `slug`, or, without a name, the one this workspace belongs to.

    Raises
    ------
    KampError
        When there is no such company.
    """
    own = settings().tenant_home
    if own is not None:
        tenant = tenant_at(own)
        if slug in (None, tenant.slug):
            return tenant
        raise KampError(
            f"이 작업공간은 '{tenant.slug}'의 것입니다. '{slug}'는 열 수 없습니다.",
            f"this workspace belongs to {tenant.slug!r}; {slug!r} cannot be opened here.",
        )
    if slug is None:
        raise UsageError(
            "기업 ID를 적어 주세요(작업공간 안에서만 생략할 수 있습니다). 기업 목록: kamp tenant list",
            "name the company (it can be left out inside a workspace only); kamp tenant list shows them.",
        )
    folder = _tenants_folder(home) / slug
    if not SLUG.fullmatch(slug) or not (folder / "tenant.toml").is_file():
        known = ", ".join(t.slug for t in list_tenants(home))
        known_ko = f"등록된 기업: {known}" if known else "등록된 기업이 아직 없습니다"
        known_en = f"known: {known}" if known else "there is none yet"
        raise KampError(
            f"기업 '{slug}'가 없습니다. {known_ko}. 추가: kamp tenant add {slug} 이름",
            f"there is no company {slug!r}; {known_en}. Add it: kamp tenant add {slug} NAME",
        )
    return _own(folder)


def _own(folder: Path) -> Tenant:
    """The company of this folder, which must not pass itself off as another."""
    tenant = tenant_at(folder)
    if tenant.slug != folder.name:
        raise KampError(
            f"기업 폴더 {folder}의 tenant.toml에 다른 기업 ID '{tenant.slug}'가 적혀 있습니다.",
            f"the tenant.toml of {folder} names another company, {tenant.slug!r}.",
        )
    return tenant


def tenant_at(folder: Path) -> Tenant:
    """The company whose folder this is."""
    path = folder / "tenant.toml"
    try:
        entry = tomllib.loads(_plain_text(path))
        _check_time_zone(entry.get("time_zone", "Asia/Seoul"))
        for name in (entry["name_ko"], entry["name_en"]):
            _check_company_name(name)
        return Tenant(
            slug=check_slug(entry["slug"]),
            name=Text(entry["name_ko"], entry["name_en"]),
            home=folder,
            equipment=tuple(map(str, entry.get("equipment", ()))),
            time_zone=entry.get("time_zone", "Asia/Seoul"),
            demo=bool(entry.get("demo", False)),
        )
    except (
        OSError,
        KeyError,
        TypeError,
        AttributeError,
        ValueError,
        UsageError,
    ) as error:
        raise KampError(
            f"기업 폴더를 읽을 수 없습니다: {path} ({error})",
            f"cannot read the company folder: {path} ({error})",
        ) from error


def _plain_text(path: Path) -> str:
    """The text of a small plain file; the folder is the company's, so no link counts."""
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), encoding="utf-8") as file:
        text = file.read(LARGEST_FILE + 1)
    if len(text) > LARGEST_FILE:
        raise ValueError("too large")
    return text


def _tenants_folder(home: Path | None) -> Path:
    return (home or settings().home) / "tenants"


def _as_toml(tenant: Tenant) -> str:
    # A JSON string is a valid TOML basic string.
    def quoted(value: str) -> str:
        return json.dumps(value, ensure_ascii=False)

    kinds = ", ".join(quoted(kind) for kind in tenant.equipment)
    return (
        f"slug = {quoted(tenant.slug)}\n"
        f"name_ko = {quoted(tenant.name.ko)}\n"
        f"name_en = {quoted(tenant.name.en)}\n"
        f"equipment = [{kinds}]\n"
        f"time_zone = {quoted(tenant.time_zone)}\n"
        f"demo = {str(tenant.demo).lower()}\n"
    )
