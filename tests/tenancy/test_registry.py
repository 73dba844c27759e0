"""Companies, people and roles, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kamp_lib.errors import KampError, UsageError
from kamp_lib.settings import settings
from kamp_lib.tenancy import Role, Tenant, add_tenant, plan_named, tenant_named
from kamp_lib.tenancy.registry import Registry
from kamp_lib.tenancy.tenants import RESERVED
from kamp_lib.text import Text

HOSTILE = [
    "'; DROP TABLE people; --",
    '" OR 1=1 --',
    "%' UNION SELECT password FROM people --",
    "<script>alert(1)</script>",
    "{0.__class__}",
    "$(reboot)",
    "\U0001f600 '\"\\",
]


def test_a_company_has_a_row_and_a_folder(registry: Registry) -> None:
    sme = registry.add_sme(
        "acme", "에이스", "Acme", industry="사출", equipment=("press",), plan="small"
    )
    assert registry.sme("acme") == sme
    assert sme.name == Text("에이스", "Acme")
    assert (sme.industry, sme.equipment, sme.status) == ("사출", ("press",), "active")
    assert sme.plan == plan_named("small")
    tenant = tenant_named("acme")
    assert (tenant.name, tenant.equipment) == (sme.name, sme.equipment)


def test_companies_are_listed_by_slug(registry: Registry) -> None:
    for slug in ("b", "a", "c"):
        registry.add_sme(slug, slug)
    assert [sme.slug for sme in registry.smes()] == ["a", "b", "c"]


def test_an_unknown_company_is_a_sentence(registry: Registry) -> None:
    with pytest.raises(KampError, match="nobody"):
        registry.sme("nobody")


def test_a_company_cannot_be_added_twice_and_the_first_stays(
    registry: Registry,
) -> None:
    first = registry.add_sme("acme", "첫째")
    with pytest.raises(KampError):
        registry.add_sme("acme", "둘째")
    assert registry.smes() == [first]
    assert tenant_named("acme").name.ko == "첫째"


@pytest.mark.parametrize(
    "wrong",
    [
        {"slug": "A"},
        {"slug": "report"},
        {"name_ko": "한 줄\n두 줄"},
        {"time_zone": "Asia/Seoull"},
        {"plan": "gigantic"},
        {"industry": "x" * 101},
    ],
    ids=str,
)
def test_a_company_that_cannot_be_leaves_neither_row_nor_folder(
    registry: Registry, wrong: dict[str, str]
) -> None:
    with pytest.raises(UsageError):
        registry.add_sme(**{"slug": "acme", "name_ko": "에이스", **wrong})
    assert registry.smes() == []
    assert not registry.folder("acme").exists()


def test_user_ids_go_up_from_the_base(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAMP_UID_BASE", "300000")
    assert [registry.add_sme(slug, slug).uid for slug in "abc"] == [
        300_000,
        300_001,
        300_002,
    ]


def test_the_user_id_of_a_removed_company_is_given_to_nobody_else(
    registry: Registry,
) -> None:
    first = registry.add_sme("acme", "에이스")
    registry.remove_sme("acme")
    again = registry.add_sme("acme", "에이스")
    assert first.uid is not None
    assert again.uid == first.uid + 1


def test_a_raised_base_of_user_ids_counts_for_new_companies(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = registry.add_sme("a", "a")
    monkeypatch.setenv("KAMP_UID_BASE", "500000")
    assert registry.add_sme("b", "b").uid == 500_000
    monkeypatch.setenv("KAMP_UID_BASE", "100000")
    assert registry.add_sme("c", "c").uid == 500_001
    assert registry.sme("a") == first


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_are_kept_verbatim_and_do_nothing(
    registry: Registry, words: str
) -> None:
    sme = registry.add_sme("acme", words, words, industry=words)
    registry.add_person("ann", words)
    registry.audit(words, words, words, {words: words})
    assert (sme.name, sme.industry) == (Text(words, words), words)
    assert registry.sme("acme") == sme
    assert registry.person("ann").display_name == words
    entry = registry.audit_entries(words)[0]
    assert (entry.actor, entry.detail) == (words, {words: words})


@pytest.mark.parametrize(
    "name", [*HOSTILE, "", "\0", "한글", "a" * 31, "../a", "\ud800"]
)
def test_a_hostile_name_is_an_unknown_name(registry: Registry, name: str) -> None:
    registry.add_person("ann", "김안나")
    assert registry.access(name) is None
    assert registry.sign_in(name, "whatever it is").status == "wrong"
    for ask in (registry.sme, registry.person, registry.suspend, registry.remove_sme):
        with pytest.raises(KampError):
            ask(name)
    with pytest.raises(UsageError):
        registry.add_person(name, "누구")
    assert [person.name for person in registry.people()] == ["ann"]


def test_companies_and_people_share_one_name_space(registry: Registry) -> None:
    registry.add_sme("acme", "에이스")
    registry.add_person("ann", "김안나")
    with pytest.raises(KampError, match="acme"):
        registry.add_person("acme", "누구")
    with pytest.raises(KampError, match="ann"):
        registry.add_sme("ann", "안나")
    assert not registry.folder("ann").exists()


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_reserved_names_are_refused(registry: Registry, name: str) -> None:
    with pytest.raises(UsageError):
        registry.add_person(name, "누구")
    with pytest.raises(UsageError):
        registry.add_sme(name, "어디")


def test_a_name_is_free_again_after_its_removal(registry: Registry, clock) -> None:
    registry.add_person("ann", "김안나")
    registry.add_sme("acme", "에이스")
    first = registry.person("ann").created
    registry.remove_person("ann")
    registry.remove_sme("acme")
    clock.later(days=1)
    registry.add_person("ann", "다른 안나")
    registry.add_sme("acme", "다른 에이스")
    assert registry.person("ann").created - first == timedelta(days=1)


def test_who_had_a_name_as_a_person_never_wakes_up_as_a_company(
    registry: Registry,
) -> None:
    registry.add_person("ann", "김안나")
    registry.add_sme("acme", "에이스")
    registry.remove_person("ann")
    registry.remove_sme("acme")
    with pytest.raises(KampError, match="ann"):
        registry.add_sme("ann", "안나산업")
    with pytest.raises(KampError, match="acme"):
        registry.add_person("acme", "누구")
    assert (registry.smes(), registry.people()) == ([], [])
    assert not registry.folder("ann").exists()


@pytest.mark.parametrize(
    ("display_name", "email"),
    [
        ("", None),
        ("두\n줄", None),
        ("x" * 101, None),
        ("안나", "no address"),
        ("안나", "a@"),
    ],
)
def test_a_person_with_impossible_particulars_is_refused(
    registry: Registry, display_name: str, email: str | None
) -> None:
    with pytest.raises(UsageError):
        registry.add_person("ann", display_name, email=email)
    assert registry.people() == []


def test_roles_are_told_by_company(registry: Registry) -> None:
    for slug in ("acme", "bolt", "core"):
        registry.add_sme(slug, slug)
    registry.add_person("carl", "이칼")
    registry.assign("carl", "acme", Role.CONSULTANT)
    registry.assign("carl", "bolt", "analyst")
    registry.assign("carl", "bolt", Role.MANAGER)
    access = registry.access("carl")
    assert access is not None
    assert access.roles == {
        "acme": frozenset({Role.CONSULTANT}),
        "bolt": frozenset({Role.ANALYST, Role.MANAGER}),
    }
    assert registry.people_of("bolt") == {"carl": access.roles["bolt"]}
    assert registry.roles() == {"carl": access.roles}


def test_a_suspended_company_gives_no_access_until_it_is_resumed(
    registry: Registry,
) -> None:
    registry.add_sme("acme", "에이스")
    registry.add_person("ann", "김안나", roles=[("acme", Role.ANALYST)])
    registry.suspend("acme")
    assert registry.access("ann").roles == {}
    assert registry.people_of("acme") == {"ann": frozenset({Role.ANALYST})}
    registry.resume("acme")
    assert registry.access("ann").roles == {"acme": frozenset({Role.ANALYST})}


def test_assigning_twice_is_once_and_noted_once(registry: Registry) -> None:
    registry.add_sme("acme", "에이스")
    registry.add_person("ann", "김안나")
    for _ in range(2):
        registry.assign("ann", "acme", Role.ANALYST)
    noted = [e for e in registry.audit_entries("acme") if e.action == "user.assign"]
    assert len(noted) == 1


def test_one_role_or_all_are_taken_away(registry: Registry) -> None:
    registry.add_sme("acme", "에이스")
    both = [("acme", Role.ANALYST), ("acme", Role.MANAGER)]
    registry.add_person("ann", "김안나", roles=both)
    registry.unassign("ann", "acme", Role.MANAGER)
    assert registry.access("ann").roles == {"acme": frozenset({Role.ANALYST})}
    registry.assign("ann", "acme", Role.MANAGER)
    registry.unassign("ann", "acme")
    assert registry.access("ann").roles == {}
    registry.unassign("ann", "acme")


def test_a_role_needs_a_person_a_company_and_a_known_word(registry: Registry) -> None:
    registry.add_sme("acme", "에이스")
    registry.add_person("ann", "김안나")
    with pytest.raises(KampError, match="bob"):
        registry.assign("bob", "acme", Role.ANALYST)
    with pytest.raises(KampError, match="bolt"):
        registry.assign("ann", "bolt", Role.ANALYST)
    with pytest.raises(UsageError, match="boss"):
        registry.assign("ann", "acme", "boss")


def test_a_person_whose_role_is_impossible_is_not_added_at_all(
    registry: Registry,
) -> None:
    with pytest.raises(KampError):
        registry.add_person("ann", "김안나", roles=[("nowhere", Role.ANALYST)])
    assert registry.people() == []
    assert registry.audit_entries() == []


def test_an_operator_opens_no_companys_servers(registry: Registry) -> None:
    registry.add_sme("acme", "에이스")
    registry.add_person("root-kim", "김운영", operator=True)
    with pytest.raises(UsageError, match="root-kim"):
        registry.assign("root-kim", "acme", Role.ANALYST)
    assert registry.access("root-kim").roles == {}


def test_removing_a_company_takes_its_roles_along(registry: Registry) -> None:
    registry.add_sme("acme", "에이스")
    registry.add_person("ann", "김안나", roles=[("acme", Role.ANALYST)])
    registry.remove_sme("acme")
    assert registry.access("ann").roles == {}
    registry.add_sme("acme", "다른 에이스")
    assert registry.people_of("acme") == {}


def test_removing_a_person_takes_the_roles_along(registry: Registry) -> None:
    registry.add_sme("acme", "에이스")
    registry.add_person("ann", "김안나", roles=[("acme", Role.ANALYST)])
    registry.remove_person("ann")
    assert registry.access("ann") is None
    assert registry.people_of("acme") == {}
    registry.add_person("ann", "다른 안나")
    assert registry.access("ann").roles == {}


def test_the_last_operator_cannot_be_removed(registry: Registry) -> None:
    registry.add_person("one", "하나", operator=True)
    registry.add_person("two", "둘", operator=True)
    registry.remove_person("one")
    with pytest.raises(KampError, match="two"):
        registry.remove_person("two")
    assert registry.person("two").operator


def test_the_first_operator_is_made_once(registry: Registry) -> None:
    first = registry.first_operator("operator", "운영자")
    assert first is not None
    assert registry.sign_in("operator", first).status == "must-change"
    assert registry.first_operator("another", "운영자") is None
    assert [person.name for person in registry.people()] == ["operator"]


def test_a_folder_without_a_row_is_adopted_as_it_is(registry: Registry) -> None:
    folder: Tenant = add_tenant(
        "acme", "에이스", "Acme", equipment=("press",), demo=True
    )
    (sme,) = registry.adopt()
    assert (sme.slug, sme.name, sme.demo) == ("acme", folder.name, True)
    assert registry.adopt() == []
    assert registry.smes() == [sme]


def test_a_folder_with_a_persons_name_is_not_adopted_and_told(
    registry: Registry,
) -> None:
    registry.add_person("ann", "김안나")
    add_tenant("ann", "안나산업")
    add_tenant("acme", "에이스")
    told: list[KampError] = []
    assert [sme.slug for sme in registry.adopt(refused=told.append)] == ["acme"]
    assert "ann" in str(told[0])


def test_a_folder_that_was_tampered_with_stops_no_other_adoption(
    registry: Registry,
) -> None:
    (add_tenant("bad", "나쁜").home / "tenant.toml").write_text('slug = "good"')
    add_tenant("good", "좋은")
    told: list[KampError] = []
    assert [sme.slug for sme in registry.adopt(refused=told.append)] == ["good"]
    assert "bad" in str(told[0])


def test_a_folder_with_other_content_is_not_taken_over(registry: Registry) -> None:
    add_tenant("acme", "첫째")
    with pytest.raises(KampError, match="kamp init"):
        registry.add_sme("acme", "둘째")
    assert registry.smes() == []
    assert tenant_named("acme").name.ko == "첫째"


def test_every_change_is_noted_with_who_and_what(registry: Registry, clock) -> None:
    registry.add_sme("acme", "에이스")
    registry.add_person("ann", "김안나", roles=[("acme", "analyst")])
    clock.later(hours=1)
    registry.acting("root-kim").suspend("acme")
    registry.acting("root-kim").suspend("acme")
    lines = registry.audit_entries("acme")
    assert [(e.actor, e.action) for e in lines] == [
        ("root-kim", "tenant.suspend"),
        ("os:test", "user.assign"),
        ("os:test", "tenant.add"),
    ]
    assert lines[1].detail == {"person": "ann", "role": "analyst"}
    assert lines[0].at - lines[1].at == timedelta(hours=1)


def test_the_audit_is_read_newest_first_up_to_a_limit(registry: Registry) -> None:
    for number in range(5):
        registry.audit("ann", "looked", "acme", {"number": number})
    read = [e.detail["number"] for e in registry.audit_entries(limit=3)]
    assert read == [4, 3, 2]


def test_audit_words_that_no_terminal_should_see_are_escaped(
    registry: Registry,
) -> None:
    registry.audit("ann\x1b[2J", "look\ned", "ac\0me\u202e", {"x": "\x00\x1b"})
    (entry,) = registry.audit_entries()
    for words in (entry.actor, entry.action, entry.subject):
        assert words.isprintable()
    assert entry.detail == {"x": "\x00\x1b"}


def test_the_folders_lie_in_kamp_home(registry: Registry) -> None:
    registry.add_sme("acme", "에이스")
    assert registry.folder("acme") == settings().home / "tenants" / "acme"
    assert registry.folder("acme").is_dir()
