"""Vision inspection: what it must hold on pictures whose defects we made ourselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kamp_lib.catalog import families, resolve_parameters
from kamp_lib.datasets.types import StoredColumn
from kamp_lib.errors import KampError
from kamp_lib.learning import load_model, vision
from kamp_lib.learning.outcome import Outcome
from kamp_lib.learning.task import Task, task_for
from kamp_lib.learning.vision_images import Pictures, open_picture, read_pictures
from kamp_lib.learning.vision_models import CANDIDATES
from kamp_lib.learning.vision_pictures import place_of
from kamp_lib.learning.vision_twins import twin_groups

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
# The bad parts of the set below carry a dark spot in this third of the picture.
SPOT = (0, 2)


def plate(rng: np.random.Generator, bad: bool) -> np.ndarray:
    """A brushed plate; a bad one has a dark spot at the upper right."""
    brushed = rng.normal(150, 12, (160, 1)) + rng.normal(0, 4, (160, 160))
    if bad:
        y, x = np.indices((160, 160))
        row, column = rng.integers(15, 40), rng.integers(120, 145)
        spot = np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * 6.0**2))
        brushed = brushed * (1 - 0.8 * spot)
    return np.clip(brushed, 0, 255).astype(np.uint8)


def picture_set(folder: Path, good: int, bad: int, seed: int = 0) -> pd.DataFrame:
    """Pictures in mixed modes, as a vision data set stores them."""
    rng = np.random.default_rng(seed)
    modes = ("L", "RGB", "RGBA")
    rows = []
    for k in range(good + bad):
        name = f"{k:03d}.png"
        image = Image.fromarray(plate(rng, k >= good)).convert(modes[k % 3])
        image.save(folder / name)
        rows.append((name, f"img-{k:03d}", "ok" if k < good else "spot"))
    return pd.DataFrame(rows, columns=["image", "image_id", "defect_class"])


def vision_task(data: pd.DataFrame, **given: object) -> Task:
    columns = [
        StoredColumn(name=c, source=c, ko=c, en=c, kind="category") for c in data
    ]
    family = families()["vision-inspection"]
    target = {"target": "defect_class"} if "defect_class" in data else {}
    return task_for(
        family,
        None,
        columns,
        resolve_parameters(family, None, {**target, **given}),
        time_zone="Asia/Seoul",
        simulated=True,
    )


@pytest.fixture(scope="module")
def spotted(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, pd.DataFrame, Outcome]:
    folder = tmp_path_factory.mktemp("plates")
    data = picture_set(folder, good=40, bad=32)
    return folder, data, vision.analyse(data, vision_task(data), images_folder=folder)


def test_a_clear_defect_is_found_on_unseen_pictures(
    spotted: tuple[Path, pd.DataFrame, Outcome],
) -> None:
    outcome = spotted[2]
    assert (outcome.metrics["roc_auc"].value or 0) > 0.97
    assert outcome.verdict.value == "usable"


def test_the_heat_map_points_at_the_defect(
    spotted: tuple[Path, pd.DataFrame, Outcome],
) -> None:
    folder, data, outcome = spotted
    assert outcome.model is not None
    pictures, _ = read_pictures([folder / n for n in data["image"]])
    heat = outcome.model.heat(vision.measure_all(pictures))
    places = [place_of(h) for h in heat[(data["defect_class"] == "spot").to_numpy()]]
    assert np.mean([p == SPOT for p in places]) > 0.8


def test_every_shown_picture_and_heat_map_is_small_and_opens(
    spotted: tuple[Path, pd.DataFrame, Outcome], tmp_path: Path
) -> None:
    outcome = spotted[2]
    shown = outcome.tables["cases"].dropna(subset=["image", "heatmap"])
    assert len(shown) >= 40
    assert set(shown["image"]) | set(shown["heatmap"]) == set(outcome.images)
    assert max(map(len, outcome.images.values())) <= 30_000
    for name, content in outcome.images.items():
        (tmp_path / name).write_bytes(content)
        with Image.open(tmp_path / name) as picture:
            picture.load()


def test_every_flagged_case_has_a_reason_in_both_languages(
    spotted: tuple[Path, pd.DataFrame, Outcome],
) -> None:
    outcome = spotted[2]
    cases = outcome.tables["cases"]
    flagged = cases[cases["score"] >= outcome.threshold]
    assert flagged[["reason_ko", "reason_en"]].notna().all(axis=None)


def test_a_saved_model_gives_the_same_risk_and_holds_no_pickle(
    spotted: tuple[Path, pd.DataFrame, Outcome], tmp_path: Path
) -> None:
    folder, data, outcome = spotted
    assert outcome.model is not None
    outcome.model.save(tmp_path)
    frame = pd.DataFrame({"image": [str(folder / n) for n in data["image"][::20]]})
    again = load_model(tmp_path).risk(frame)
    np.testing.assert_allclose(again, outcome.model.risk(frame))
    assert {p.suffix for p in tmp_path.iterdir()} <= {".json", ".npz", ".ubj"}


def test_same_pictures_and_seed_give_the_same_scores(tmp_path: Path) -> None:
    data = picture_set(tmp_path, good=8, bad=6)
    first, second = (
        vision.analyse(data, vision_task(data), images_folder=tmp_path)
        for _ in range(2)
    )
    pd.testing.assert_frame_equal(first.tables["cases"], second.tables["cases"])


def test_good_pictures_alone_give_alarm_scores_and_no_verdict(tmp_path: Path) -> None:
    data = picture_set(tmp_path, good=20, bad=4)
    only_good = data[data["defect_class"] == "ok"]
    outcome = vision.analyse(only_good, vision_task(only_good), images_folder=tmp_path)
    assert outcome.verdict.value == "not-usable-yet"
    assert outcome.verdict.reasons[0].code == "single-class-label"
    assert outcome.metrics["roc_auc"].value is None
    assert not outcome.tables["control_chart"].empty


def test_a_model_of_good_pictures_alone_ranks_defects_first(tmp_path: Path) -> None:
    data = picture_set(tmp_path, good=30, bad=6)
    pictures, _ = read_pictures([tmp_path / n for n in data["image"]])
    bad = (data["defect_class"] == "spot").to_numpy()
    measured = vision.measure_all(pictures)
    learn = np.flatnonzero(~bad)[:20]
    model = CANDIDATES[0]().fit(measured[learn], np.zeros(20, dtype=int), 0)
    score = model.score(measured)
    assert score[bad].min() > np.median(score[~bad][20:])


def test_without_any_label_the_run_still_ends(tmp_path: Path) -> None:
    data = picture_set(tmp_path, good=9, bad=0).drop(columns="defect_class")
    outcome = vision.analyse(data, vision_task(data), images_folder=tmp_path)
    assert outcome.verdict.reasons[0].code == "no-label"


@pytest.mark.parametrize(("good", "bad"), [(1, 0), (1, 1), (2, 1)])
def test_a_handful_of_pictures_never_crashes(
    tmp_path: Path, good: int, bad: int
) -> None:
    data = picture_set(tmp_path, good=good, bad=bad)
    outcome = vision.analyse(data, vision_task(data), images_folder=tmp_path)
    assert outcome.verdict.value == "not-usable-yet"
    assert outcome.verdict.collect


def test_turned_mirrored_and_resaved_copies_are_one_group(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    base = [plate(rng, bad=True) for _ in range(30)]
    turned = np.rot90(base[0]).copy()
    mirrored = base[1][:, ::-1].copy()
    Image.fromarray(base[2]).save(tmp_path / "again.jpg", quality=70)
    resaved = np.asarray(Image.open(tmp_path / "again.jpg"))
    paths = []
    for k, pixels in enumerate([*base, turned, mirrored, resaved]):
        paths.append(tmp_path / f"{k}.png")
        Image.fromarray(pixels).save(paths[-1])
    pictures, _ = read_pictures(paths)
    groups = twin_groups(pictures)
    assert [groups[30], groups[31], groups[32]] == [groups[0], groups[1], groups[2]]
    assert len(np.unique(groups[:30])) == 30


def test_copies_never_stand_on_both_sides_of_a_fold(tmp_path: Path) -> None:
    data = picture_set(tmp_path, good=12, bad=12)
    twice = pd.concat([data, data.assign(image_id=data["image_id"] + "-b")])
    cases = vision.load(twice, vision_task(twice), tmp_path)
    folds = vision.split(cases, {"folds": 4})
    assert folds is not None
    twins = cases.frame["twins"].to_numpy()
    for learn, held in folds:
        assert not set(twins[learn]) & set(twins[held])


def test_lots_that_share_a_twin_are_held_together(tmp_path: Path) -> None:
    data = picture_set(tmp_path, good=8, bad=0)
    data["lot_id"] = list("AAAABBBB")
    shared = data.iloc[[0]].assign(image_id="copy", lot_id="B")
    both = pd.concat([data, shared], ignore_index=True)
    cases = vision.load(both, vision_task(both, group="lot_id"), tmp_path)
    assert cases.frame["group"].nunique() == 1


def test_an_unreadable_picture_is_left_out_and_counted(tmp_path: Path) -> None:
    data = picture_set(tmp_path, good=6, bad=4)
    (tmp_path / data["image"][3]).write_bytes(b"not a picture")
    cases = vision.load(data, vision_task(data), tmp_path)
    assert (len(cases), cases.unreadable) == (9, 1)


def test_no_readable_picture_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(KampError, match="사진"):
        read_pictures([tmp_path / "absent.png"])


def test_sixteen_bit_and_transparent_pictures_open_as_rgb(tmp_path: Path) -> None:
    deep = np.linspace(0, 60000, 64 * 64).reshape(64, 64).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.new("RGBA", (40, 30), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert open_picture(tmp_path / "deep.png").mode == "RGB"
    assert open_picture(tmp_path / "clear.png").getpixel((5, 5)) == (255, 255, 255)


def test_blank_pictures_measure_to_finite_numbers() -> None:
    blank = Pictures(
        np.zeros((3, 64, 64), dtype=np.uint8), np.zeros((3, 32, 32, 2), np.float32)
    )
    measured = vision.measure_all(blank)
    assert np.isfinite(measured.features).all()
    assert np.isfinite(measured.patches).all()


def folder_data(root: Path) -> pd.DataFrame:
    files = sorted(p for p in root.rglob("*") if p.suffix in (".jpeg", ".png"))
    names = [str(f.relative_to(root)) for f in files]
    classes = [f.parent.name for f in files]
    return pd.DataFrame({"image": names, "_file": names, "defect_class": classes})


@pytest.mark.skipif(
    not (SHARED / "kamp_chromate").is_dir(), reason="real data are not here"
)
def test_eleven_chromate_pictures_end_in_not_usable_yet() -> None:
    root = SHARED / "kamp_chromate"
    data = folder_data(root)
    outcome = vision.analyse(data, vision_task(data), images_folder=root)
    assert outcome.verdict.value == "not-usable-yet"
    assert "too-few-positives" in [r.code for r in outcome.verdict.reasons]


@pytest.mark.skipif(
    not (SHARED / "vision_casting").is_dir(), reason="real data are not here"
)
def test_casting_defects_are_found_and_the_given_split_is_doubted() -> None:
    root = SHARED / "vision_casting"
    data = folder_data(root).sample(150, random_state=0)
    outcome = vision.analyse(data, vision_task(data), images_folder=root)
    assert (outcome.metrics["roc_auc"].value or 0) > 0.9
    assert "acquisition-tells-label" in [r.code for r in outcome.verdict.reasons]
    assert "train/test" in outcome.split.how.en
