from kamp_lib.tenancy import Role, tenant_named
from kamp_lib.tenancy.registry import Registry
from kamp_lib.text import Text


def test_a_company_has_a_row_and_a_folder(registry: Registry) -> None:
    sme = registry.add_sme("acme", "에이스", "Acme", equipment=("press",))
    assert registry.sme("acme") == sme
    assert sme.name == Text("에이스", "Acme")
    assert tenant_named("acme").equipment == ("press",)
    assert sme.uid == 200_000


def test_a_person_signs_in_and_has_to_change_the_first_password(
    registry: Registry,
) -> None:
    first = registry.add_person("ann", "김안나")
    assert registry.sign_in("ann", first).status == "must-change"
    registry.change_password("ann", first, "new secret words")
    assert registry.sign_in("ann", "new secret words").status == "ok"
    assert registry.sign_in("ann", first).status == "wrong"


def test_roles_are_told_by_company(registry: Registry) -> None:
    registry.add_sme("acme", "에이스")
    registry.add_person("ann", "김안나")
    registry.assign("ann", "acme", Role.ANALYST)
    access = registry.access("ann")
    assert access is not None
    assert access.roles == {"acme": frozenset({Role.ANALYST})}
    registry.suspend("acme")
    assert registry.access("ann").roles == {}
