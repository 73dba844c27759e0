from pathlib import Path

import pytest

from kamp_lib.errors import KampError, UsageError
from kamp_lib.tenancy import add_tenant, list_tenants, tenant_at, tenant_named
from kamp_lib.text import Text


@pytest.mark.parametrize(
    "slug", ["", "A", "1a", "a_b", "a" * 31, "report", "../x", "a b", "한글", "a\n"]
)
def test_a_slug_that_jupyterhub_would_refuse_is_refused(slug: str) -> None:
    with pytest.raises(UsageError):
        add_tenant(slug, "기업")


def test_a_company_read_back_from_its_folder_is_the_same() -> None:
    name = '따옴표 " 와 \\ 와 {x} # 줄'
    made = add_tenant(
        "acme", name, "Acme", equipment=("press",), time_zone="Asia/Tokyo"
    )
    assert tenant_at(made.home) == made
    assert made.name == Text(name, "Acme")


def test_a_company_has_its_four_folders() -> None:
    made = add_tenant("acme", "에이스")
    for folder in (made.data, made.workspace, made.runs, made.published):
        assert folder.is_dir()


def test_adding_a_company_twice_fails_and_keeps_the_first() -> None:
    add_tenant("acme", "첫째")
    with pytest.raises(KampError):
        add_tenant("acme", "둘째")
    assert tenant_named("acme").name.ko == "첫째"


def test_companies_are_listed_by_slug() -> None:
    for slug in ("b", "a", "c"):
        add_tenant(slug, slug)
    assert [t.slug for t in list_tenants()] == ["a", "b", "c"]


def test_an_unknown_company_is_answered_with_the_known_ones() -> None:
    add_tenant("acme", "에이스")
    with pytest.raises(KampError, match="acme"):
        tenant_named("acne")


def test_a_name_that_climbs_out_of_the_home_is_unknown(tmp_path: Path) -> None:
    outside = add_tenant("acme", "에이스", home=tmp_path / "other")
    with pytest.raises(KampError):
        tenant_named(f"../../other/tenants/{outside.slug}")


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(UsageError):
        add_tenant("acme", "에이스", time_zone="Asia/Seoull")


def test_a_workspace_opens_its_own_company_without_a_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = add_tenant("own", "우리")
    monkeypatch.setenv("KAMP_TENANT_HOME", str(own.home))
    assert tenant_named() == own
    assert tenant_named("own") == own


def test_a_workspace_opens_no_other_company(monkeypatch: pytest.MonkeyPatch) -> None:
    own, other = add_tenant("own", "우리"), add_tenant("other", "남")
    monkeypatch.setenv("KAMP_TENANT_HOME", str(own.home))
    with pytest.raises(KampError):
        tenant_named(other.slug)


def test_a_broken_tenant_file_is_one_sentence_with_its_path(tmp_path: Path) -> None:
    made = add_tenant("acme", "에이스")
    (made.home / "tenant.toml").write_bytes(b"slug = \xff")
    with pytest.raises(KampError, match=r"tenant\.toml"):
        tenant_at(made.home)


@pytest.mark.parametrize(
    "content",
    [
        "slug = 5",
        'slug = "good"\nname_ko = "가"\nname_en = "a"',
        'slug = "bad"\nname_ko = 3\nname_en = "b"',
        'slug = "bad"\nname_ko = "가"\nname_en = "b"\nequipment = 5',
        "x" * 100_000,
    ],
)
def test_a_tampered_company_does_not_hide_the_others(content: str) -> None:
    add_tenant("good", "좋은")
    (add_tenant("bad", "나쁜").home / "tenant.toml").write_text(content)
    told: list[KampError] = []
    assert [t.slug for t in list_tenants(unreadable=told.append)] == ["good"]
    assert "bad" in str(told[0])


def test_a_tenant_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    made = add_tenant("acme", "에이스")
    (made.home / "tenant.toml").rename(tmp_path / "elsewhere.toml")
    (made.home / "tenant.toml").symlink_to(tmp_path / "elsewhere.toml")
    with pytest.raises(KampError, match=r"tenant\.toml"):
        tenant_at(made.home)
