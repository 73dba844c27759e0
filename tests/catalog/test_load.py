from __future__ import annotations

from pathlib import Path

import pytest

from kamp_lib import catalog
from kamp_lib.catalog.load import check_model
from kamp_lib.errors import KampError, UsageError

CATALOGUE = Path(catalog.__file__).parent
FACTS = {
    # what the facts file of the standard models names, in its own words
    "injection-quality": "shot_no cavity_id injection_time filling_time plasticizing_time"
    " cycle_time clamp_close_time cushion_position switch_over_position"
    " plasticizing_position clamp_open_position max_injection_speed max_screw_rpm"
    " max_injection_pressure switch_over_pressure max_back_pressure"
    " barrel_temperature_1 barrel_temperature_2 barrel_temperature_3"
    " barrel_temperature_4 barrel_temperature_5 barrel_temperature_6"
    " hopper_temperature mold_temperature_1 mold_temperature_2 pass_or_fail"
    " defect_reason",
    "cnc-machining-quality": "run_id tool_id process_step spindle_speed_set spindle_speed"
    " spindle_load spindle_current spindle_power feedrate_set feedrate servo_load_x"
    " servo_load_y servo_load_z current_x current_y position_x position_y position_z"
    " position_error clamp_pressure tool_use_time tool_worn visual_pass",
    "machine-vision-surface": "image_id camera_id side exposure_time gain light_level"
    " pixel_size image defect_class defect_mask",
    "press-die-breakage": "stroke_no die_id spm_set die_height cushion_pressure"
    " tonnage_left tonnage_right peak_tonnage peak_angle tonnage_curve die_temperature"
    " blank_temperature blank_thickness double_blank_gap lubricant_flow"
    " acoustic_emission strokes_since_maintenance die_event",
}
MODEL = """\
id: trial-model
version: 1.0.0
no: 99
ko: 시험
en: trial
equipment: press
record_kind: stroke
family: quality-classification
target: {column: die_event, bad_ko: 이상, bad_en: bad, good_ko: 정상, good_en: good}
required: []
optional: [tonnage_left]
case_ko: 스트로크
case_en: stroke
groups: [day]
decision: {ko: 정함, en: decides}
reference: {ko: 없음, en: none}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "trial.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def checked(path: Path) -> None:
    check_model(catalog.load_entry(path, catalog.StandardModel), path)


def test_every_file_of_the_catalogue_loads():
    files = {p.stem for p in CATALOGUE.rglob("*.yaml")}
    known = {
        *catalog.equipment_types(),
        *catalog.families(),
        *catalog.standard_models(),
        "quantities",
        "units",
        "vocabulary",
    }
    assert files == known
    assert catalog.quantities()


@pytest.mark.parametrize("model", FACTS)
def test_the_dictionary_has_every_column_of_the_facts(model: str):
    machine = catalog.equipment_type(catalog.standard_model(model).equipment)
    common = "ts factory_id machine_id lot_id product_code data_origin"
    missing = {*FACTS[model].split(), *common.split()} - {
        c.name for c in machine.columns
    }
    assert not missing


def test_no_input_of_a_model_is_its_target_or_a_leak():
    for model in catalog.standard_models().values():
        inputs = {*model.required, *model.optional}
        assert model.target is not None
        assert not inputs & {model.target.column, *model.leaks}


def test_what_can_be_set_is_an_input():
    for model in catalog.standard_models().values():
        assert set(model.controllable) <= {*model.required, *model.optional}


def test_every_target_knows_its_good_and_bad_words():
    for model in catalog.standard_models().values():
        machine = catalog.equipment_type(model.equipment)
        target = machine.column(model.target.column)
        assert target.good
        assert target.bad
        assert not set(target.good) & set(target.bad)


def test_usual_values_are_plausible_values():
    for machine in catalog.equipment_types().values():
        for column in machine.columns:
            if column.usual_min is not None and column.min is not None:
                assert column.usual_min >= column.min, column.name
            if column.usual_max is not None and column.max is not None:
                assert column.usual_max <= column.max, column.name


def test_numbers_have_a_unit_and_a_range():
    for machine in catalog.equipment_types().values():
        for column in machine.columns:
            if column.kind == "number" and column.role in ("sensor", "setpoint"):
                assert column.unit, column.name
                assert column.min is not None, column.name
                assert column.max is not None, column.name


def test_no_two_columns_of_a_machine_share_a_name_or_synonym():
    for machine in catalog.equipment_types().values():
        seen: dict[str, str] = {}
        for column in machine.columns:
            for name in {column.name, column.ko, *column.synonyms}:
                # feed rates in mm/s and mm/min go by one name; values tell them apart
                if name.lower() == "feedrate":
                    continue
                other = seen.setdefault(name.replace(" ", "").lower(), column.name)
                assert other == column.name, f"{machine.id}: {name}"


@pytest.mark.parametrize(
    ("old", "new", "line", "field"),
    [
        ("no: 99", "no: many", 3, "no"),
        ("equipment: press", "equipment: pres", 6, "equipment"),
        ("record_kind: stroke", "record_kind: shot", 7, "record_kind"),
        ("family: quality-classification", "family: magic", 8, "family"),
        ("column: die_event", "column: die_evnt", 9, "target"),
        ("optional: [tonnage_left]", "optional: [tonnage_lift]", 11, "optional"),
        ("groups: [day]", "groups: [week]", 14, "groups"),
        ("case_en: stroke", "case_en: stroke\ncolour: red", 14, "colour"),
    ],
)
def test_a_mistake_is_named_by_file_line_and_field(
    tmp_path: Path, old: str, new: str, line: int, field: str
):
    path = written(tmp_path, MODEL.replace(old, new))
    with pytest.raises(KampError, match=rf"trial\.yaml:{line} \({field}"):
        checked(path)


def test_broken_yaml_is_named_by_file_and_line(tmp_path: Path):
    path = written(tmp_path, "id: trial\nko: [open\nen: x: y\n")
    with pytest.raises(KampError, match=r"trial\.yaml:3"):
        checked(path)


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path):
    with pytest.raises(KampError, match="empty"):
        checked(written(tmp_path, "# nothing\n"))


def test_the_trial_model_itself_is_right(tmp_path: Path):
    checked(written(tmp_path, MODEL))


def test_yes_and_no_are_words_not_truth_values():
    visual = catalog.equipment_type("cnc-machine").column("visual_pass")
    assert "yes" in visual.good
    assert "no" in visual.bad


def test_an_unknown_machine_is_answered_with_the_known_ones():
    with pytest.raises(KampError, match="injection-moulding"):
        catalog.equipment_type("injection")


def test_an_unknown_model_is_answered_with_the_known_ones():
    with pytest.raises(UsageError, match="press-die-breakage"):
        catalog.standard_model("press-quality")
