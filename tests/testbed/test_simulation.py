from __future__ import annotations

from pathlib import Path

import pytest

from kamp_lib.catalog import equipment_types, standard_models
from kamp_lib.datasets import apply_mapping, parse, propose_mapping, read
from kamp_lib.datasets.checks import check
from kamp_lib.datasets.storage.duplicates import duplicate_rows
from kamp_lib.errors import UsageError
from kamp_lib.tenancy.tenants import check_slug
from kamp_lib.testbed import Simulation, defects_of, demo_companies, simulate

MODELS = (
    "injection-quality",
    "cnc-machining-quality",
    "press-die-breakage",
    "machine-vision-surface",
)
SMALL = {
    "injection-quality": 600,
    "cnc-machining-quality": 12,
    "press-die-breakage": 1200,
    "machine-vision-surface": 40,
}
# run labels need enough runs for a column that tells them to be no accident
ENOUGH = {("cnc-machining-quality", "label-in-disguise"): 24}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file()
    }


def findings(made: Simulation) -> dict[str, str]:
    """Code and severity of everything that ingest's stages say."""
    raw = read(made.files, labels=made.labels, on=made.on)
    parsed = parse(raw)
    mapping, found = propose_mapping(parsed.frame, made.equipment)
    frame = apply_mapping(parsed.frame, mapping)
    kind = mapping.record_kind
    found += [*raw.findings, *parsed.findings]
    found += check(frame, made.equipment, kind, mapping=mapping)
    found += duplicate_rows(frame, made.equipment, kind)[1]
    return {f.code: f.severity for f in found}


@pytest.mark.parametrize("model", MODELS)
def test_the_same_seed_writes_the_same_bytes(tmp_path: Path, model: str):
    for name in ("one", "two"):
        simulate(model, tmp_path / name, seed=3, size=SMALL[model])
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@pytest.mark.parametrize("model", MODELS)
def test_a_smaller_simulation_leaves_nothing_of_a_larger_one(
    tmp_path: Path, model: str
):
    simulate(model, tmp_path / "used", seed=1, size=2 * SMALL[model])
    for name in ("used", "fresh"):
        simulate(model, tmp_path / name, seed=3, size=SMALL[model])
    assert contents(tmp_path / "used") == contents(tmp_path / "fresh")


@pytest.mark.parametrize("model", MODELS)
def test_another_seed_writes_something_else(tmp_path: Path, model: str):
    for seed in (1, 2):
        simulate(model, tmp_path / str(seed), seed=seed, size=SMALL[model])
    one, two = contents(tmp_path / "1"), contents(tmp_path / "2")
    assert not set(one.values()) & set(two.values())


@pytest.mark.parametrize("model", MODELS)
def test_every_row_says_that_it_is_simulated(tmp_path: Path, model: str):
    made = simulate(model, tmp_path, size=SMALL[model])
    frame = parse(read(made.files)).frame
    assert set(frame["data_origin"]) == {"simulated"}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("model", MODELS)
def test_clean_simulated_data_raise_no_doubt(tmp_path: Path, model: str, seed: int):
    made = simulate(model, tmp_path, seed=seed, size="fast")
    doubts = {c for c, severity in findings(made).items() if severity != "info"}
    assert not doubts


@pytest.mark.parametrize("model", MODELS)
def test_every_column_finds_its_place_in_the_dictionary(tmp_path: Path, model: str):
    made = simulate(model, tmp_path, size=SMALL[model])
    frame = parse(read(made.files, labels=made.labels, on=made.on)).frame
    mapping, _ = propose_mapping(frame, made.equipment)
    unknown = {m.source for m in mapping.columns if m.canonical is None}
    assert unknown <= {"width", "height", "color_mode"}
    assert mapping.record_kind == standard_models()[model].record_kind


@pytest.mark.parametrize(
    ("model", "defect"), [(m, d) for m in MODELS for d in defects_of(m)]
)
def test_a_data_defect_is_found_by_ingest(tmp_path: Path, model: str, defect: str):
    size = ENOUGH.get((model, defect), SMALL[model])
    made = simulate(model, tmp_path, size=size, defects=[defect])
    assert defect in findings(made)


@pytest.mark.parametrize("model", MODELS)
def test_the_truth_is_written_nowhere(tmp_path: Path, model: str):
    made = simulate(model, tmp_path, size=SMALL[model])
    causes = {c for c in made.truth["cause"].unique() if c}
    assert causes
    text = b"".join(c for name, c in contents(tmp_path).items() if name.endswith("csv"))
    assert not [cause for cause in causes if cause.encode() in text]


def test_a_defect_that_does_not_apply_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="copied-runs"):
        simulate("injection-quality", tmp_path, defects=["copied-runs"])


@pytest.mark.parametrize("size", ["huge", 1, 10**9, "1500"])
def test_a_size_that_it_does_not_have_is_refused(tmp_path: Path, size: str | int):
    with pytest.raises(UsageError):
        simulate("injection-quality", tmp_path, size=size)


def test_every_simulator_that_a_model_names_exists():
    for model in standard_models().values():
        if model.simulator:
            assert isinstance(defects_of(model.id), tuple)


def test_the_demo_has_one_company_per_machine():
    companies = demo_companies()
    assert {c.equipment for c in companies} == set(equipment_types()) - {"generic"}
    for company in companies:
        assert check_slug(company.slug) == company.slug
        assert standard_models()[company.model].equipment == company.equipment
