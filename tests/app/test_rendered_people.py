"""The generator of rendered people: what can be checked without a renderer. The rest: the slow tests below it."""

from __future__ import annotations

import contextlib
import io
import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from app.rendered_people.camera import Camera
from app.rendered_people.figure import JOINT_LIMITS, Figure, collides, joint_angles, people_collide, segment_distance
from app.rendered_people.parts import Draws
from app.rendered_people.posing import Arm, Foot, Goal, posed
from app.rendered_people.random_poses import random_pose
from app.rendered_people.rotations import MIRROR, about
from app.rendered_people.sensor import Sensor, tone_curve
from app.rendered_people.skeleton import SIDES, Skeleton
from app.rendered_people.surroundings import backdrop
from app.rendered_people.truth import OCCLUDED, OUTSIDE, VISIBLE, box_and_area, visibility

# A stick figure of a common size: name, parent, head in metres. Of pairs the left one.
_MIDDLE = {
    "root": (None, (0, 0, 0.95)),
    "spine05": ("root", (0, 0, 1.0)),
    "spine04": ("spine05", (0, 0, 1.1)),
    "spine03": ("spine04", (0, 0, 1.2)),
    "spine02": ("spine03", (0, 0, 1.3)),
    "spine01": ("spine02", (0, 0, 1.38)),
    "neck01": ("spine01", (0, 0, 1.48)),
    "neck02": ("neck01", (0, 0, 1.52)),
    "neck03": ("neck02", (0, 0, 1.56)),
    "head": ("neck03", (0, 0, 1.6)),
}
_LEFT = {
    "upperleg01": ("root", (0.1, 0, 0.93)),
    "lowerleg01": ("upperleg01", (0.1, -0.02, 0.5)),
    "foot": ("lowerleg01", (0.1, 0, 0.08)),
    "toe2-3": ("foot", (0.1, -0.18, 0.02)),
    "clavicle": ("spine01", (0.02, 0, 1.42)),
    "shoulder01": ("clavicle", (0.1, 0, 1.42)),
    "upperarm01": ("shoulder01", (0.18, 0, 1.4)),
    "upperarm02": ("upperarm01", (0.261, 0, 1.31)),
    "lowerarm01": ("upperarm02", (0.36, 0, 1.2)),
    "lowerarm02": ("lowerarm01", (0.43, -0.09, 1.12)),
    "wrist": ("lowerarm02", (0.5, -0.18, 1.04)),
    "finger3-3": ("wrist", (0.56, -0.26, 0.97)),
}
RADII = {"upper_arm": 0.05, "forearm": 0.04, "hand": 0.02, "thigh": 0.08, "shin": 0.05, "foot": 0.05, "trunk": 0.11}


@pytest.fixture(scope="module")
def stick_figure() -> Figure:
    bones = dict(_MIDDLE)
    for side, sign in (("L", 1), ("R", -1)):
        for name, (parent, (x, y, z)) in _LEFT.items():
            above = parent if parent in _MIDDLE else f"{parent}.{side}"
            bones[f"{name}.{side}"] = (above, (sign * x, y, z))
    names = list(bones)
    parents = tuple(-1 if parent is None else names.index(parent) for parent, _ in bones.values())
    skeleton = Skeleton(tuple(names), parents, np.array([head for _, head in bones.values()], float))
    sole = np.array([[x, y, -0.08] for x in (-0.04, 0.04) for y in (-0.2, 0.06)])
    return Figure(skeleton, {"L": sole, "R": sole}, {**RADII, "head": 0.1}, 0.0, np.array([0, -0.02, 1.68]))


def standing(arms: tuple[Arm, Arm] | None = None) -> Goal:
    hanging = Arm(np.array([0.3, -0.02, -1]), np.array([0.25, -0.3, -1]))
    other = Arm(MIRROR @ hanging.upper, MIRROR @ hanging.fore)
    left, right = arms or (hanging, other)
    feet = {
        side: Foot(np.array([x, 0.0, 0.08]), np.eye(3), np.array([0.0, -1, 0]))
        for side, x in zip(SIDES, (0.1, -0.1), strict=True)
    }
    return Goal(np.array([0, 0, -0.02]), np.eye(3), (0, 0, 0), (0, 0), {"L": left, "R": right}, feet)


# Camera and visibility


def test_a_camera_projects_by_similar_triangles() -> None:
    camera = Camera(640, 480, 500.0, (1.0, -4.0, 1.5), (1.0, 0.0, 1.5))
    points = np.array([[1.0, 0.0, 1.5], [1.4, 0.0, 1.5], [1.0, 1.0, 2.0], [0.0, -3.0, 1.0]])
    pixels, depths = camera.project(points)
    assert depths == pytest.approx([4, 4, 5, 1])
    assert pixels == pytest.approx(np.array([[320, 240], [370, 240], [320, 190], [-180, 490]]))
    # Tilted down by 30 degrees: what lies on the view's axis is in the middle, the horizon is focal * tan 30° above it.
    tilted = Camera(640, 480, 500.0, (0, 0, 2.0), (0, 2 * math.sqrt(3), 0))
    pixels, depths = tilted.project(np.array([[0, 2 * math.sqrt(3), 0], [0, 1e9, 2.0]]))
    assert pixels == pytest.approx(np.array([[320, 240], [320, 240 - 500 / math.sqrt(3)]]), abs=1e-5)
    assert depths[0] == pytest.approx(4)
    # A camera rolled clockwise sees the world turn anticlockwise: what is to the right goes up.
    rolled = Camera(640, 480, 500.0, (1.0, -4.0, 1.5), (1.0, 0.0, 1.5), roll=math.pi / 2)
    assert rolled.project(points[1:2])[0] == pytest.approx(np.array([[320, 190]]))


def test_the_drawn_place_and_depth_are_the_projected_ones() -> None:
    camera = Camera(640, 480, 500.0, (0.3, -4.0, 1.5), (0.2, 0.0, 1.0), roll=0.1, near=0.2, far=30)
    points = np.random.default_rng(1).uniform(-1, 1, (20, 3))
    clip = np.c_[points, np.ones(20)] @ camera.view_projection.T
    normalised = clip[:, :3] / clip[:, 3:]
    pixels, depths = camera.project(points)
    assert (normalised[:, 0] + 1) * 320 == pytest.approx(pixels[:, 0])
    assert (1 - normalised[:, 1]) * 240 == pytest.approx(pixels[:, 1])
    assert camera.metres((normalised[:, 2] + 1) / 2) == pytest.approx(depths)


class Drawn:
    """A wall at 5 m, person 1 at 3 m in the columns 20-39, person 2 at 2 m in the columns 40-59; 100 × 50 px."""

    def __init__(self) -> None:
        self.depth = np.full((50, 100), 5.0)
        self.owner = np.zeros((50, 100), np.int64)
        self.light = np.zeros((50, 100, 3), np.float32)
        self.depth[:, 20:40], self.owner[:, 20:40] = 3, 1
        self.depth[:, 40:60], self.owner[:, 40:60] = 2, 2


def test_who_is_hidden_is_told_by_depth() -> None:
    points = np.array([[20.0, 10], [39.9, 10], [39.9, 10], [40.0, 10], [70.0, 10], [-0.1, 10], [99.9, 49.9], [10, 50]])
    depths = np.array([3.05, 3.05, 3.2, 2.05, 4.0, 3, 4, 4])
    seen = visibility(points, depths, np.full(8, 0.1), Drawn(), owner=1)
    # In the flesh; the same; the own arm 20 cm in front; another person 5 cm in front; before the wall; outside.
    assert seen == [VISIBLE, VISIBLE, OCCLUDED, OCCLUDED, VISIBLE, OUTSIDE, VISIBLE, OUTSIDE]
    # Without a number whatever is seen is taken for the person's own.
    assert visibility(points, depths, np.full(8, 0.1), Drawn())[3] == VISIBLE


def test_boxes_begin_at_the_corner_of_the_first_pixel() -> None:
    mask = np.zeros((10, 20), bool)
    mask[2:5, 7:9] = True
    mask[4, 8] = False
    assert box_and_area(mask) == ([7, 2, 2, 3], 5)


def test_the_sky_is_bright_above_the_horizon_where_the_camera_looks() -> None:
    level = Camera(64, 48, 50.0, (0, -4, 1.5), (0, 0, 1.5))
    down = Camera(64, 48, 50.0, (0, -4, 9.0), (0, 0, 0))
    skies = [backdrop(camera, True, Draws(3)) for camera in (level, down)]
    assert np.ptp(skies[0][:24].mean(1)[:, 0] - skies[0][:24].mean(1)[:, 2]) > 0.1  # it gets bluer upwards
    assert skies[0].shape == (48, 64, 3)
    # All of it is below the horizon: no gradient but clouds.
    assert np.abs(skies[1][0].mean(0) - skies[1][-1].mean(0)).max() < 0.2


# Sensor


@pytest.mark.parametrize("sensor", [Sensor(), Sensor.of_iso(1600, -0.5)])
@pytest.mark.parametrize("light", [0.02, 0.2, 0.5])
def test_noise_is_as_strong_as_its_model_says(sensor: Sensor, light: float) -> None:
    grey = np.full((400, 400, 3), light, np.float32)
    picture = sensor.picture(grey, np.random.default_rng(5)).astype(float)[2:-2, 2:-2]
    exposed = light * sensor.exposure
    # A 3 × 3 Gaussian keeps the sum of its squares of the variance.
    weights = np.exp(-(np.arange(-1, 2) ** 2) / (2 * sensor.smear**2))
    weights = weights / weights.sum()
    spread = math.sqrt((sensor.gain * exposed + sensor.read**2) * (weights**2).sum() ** 2 * sensor.scale**2)
    # The tone curve of a normal distribution, by Gauss and Hermite. Dither and rounding add 1 / 12 each.
    nodes, shares = np.polynomial.hermite_e.hermegauss(41)
    levels, shares = 255 * tone_curve(exposed + spread * nodes), shares / shares.sum()
    mean = float(shares @ levels)
    assert picture.std() == pytest.approx(math.sqrt(shares @ (levels - mean) ** 2 + 2 / 12), rel=0.02)
    assert picture.mean() == pytest.approx(mean, abs=0.1)


def test_noise_is_new_in_each_picture_and_the_same_from_the_same_seed() -> None:
    grey = np.full((50, 50, 3), 0.3, np.float32)
    random = np.random.default_rng(5)
    first, second = (Sensor().picture(grey, random) for _ in range(2))
    assert (first != second).mean() > 0.5
    assert (Sensor().picture(grey, np.random.default_rng(5)) == first).all()


def test_more_iso_is_more_noise() -> None:
    assert Sensor.of_iso(400).gain == pytest.approx(Sensor().gain)
    assert Sensor.of_iso(400).read == pytest.approx(Sensor().read, rel=0.01)
    assert Sensor.of_iso(1600).gain == pytest.approx(4 * Sensor().gain)


# Poses


def test_a_pose_reaches_what_it_was_asked_for(stick_figure: Figure) -> None:
    skeleton = stick_figure.skeleton
    left = Arm(np.array([1.0, 0, 0]), np.array([0, -1.0, 0]))
    right = Arm(np.array([0, -1.0, 0]), np.array([0, -1.0, 0.02]))
    goal = standing((left, right))
    feet = {**goal.feet, "L": Foot(np.array([0.2, -0.3, 0.3]), about([1, 0, 0], 0.4), np.array([0.0, -1, 0]))}
    goal = Goal(goal.shift, goal.turn, goal.spine, goal.head, goal.arms, feet)
    transforms = posed(skeleton, goal)

    def at(name: str) -> np.ndarray:
        return skeleton.posed_head(transforms, name)

    assert at("foot.L") == pytest.approx([0.2, -0.3, 0.3])
    assert at("foot.R") == pytest.approx([-0.1, 0.0, 0.08])
    upper = at("lowerarm01.L") - at("upperarm01.L")
    assert upper / np.linalg.norm(upper) == pytest.approx([1, 0, 0], abs=1e-9)
    fore = at("wrist.L") - at("lowerarm01.L")
    assert fore / np.linalg.norm(fore) == pytest.approx([0, -1, 0], abs=1e-9)
    # Knees bend to the front, and no bone gets longer.
    assert at("lowerleg01.L")[1] < min(at("upperleg01.L")[1], at("foot.L")[1])
    for name in skeleton.names[1:]:
        parent = skeleton.names[skeleton.parents[skeleton.place(name)]]
        rest = np.linalg.norm(skeleton.head(name) - skeleton.head(parent))
        assert np.linalg.norm(at(name) - at(parent)) == pytest.approx(rest)
    angles = joint_angles(skeleton, transforms)
    assert angles["elbow"] == pytest.approx([90, math.degrees(math.atan(0.02))])
    assert angles["shoulder"] == pytest.approx([90, 90])


@pytest.mark.thorough
def test_a_mirrored_goal_gives_the_mirrored_pose(stick_figure: Figure) -> None:
    skeleton = stick_figure.skeleton
    random = np.random.default_rng(8)
    for _ in range(10):
        goal = random_pose(stick_figure, random).goal
        heads, mirrored = (
            {name: skeleton.posed_head(posed(skeleton, which), name) for name in skeleton.names}
            for which in (goal, goal.mirrored())
        )
        for name, place in heads.items():
            other = name[:-1] + {"L": "R", "R": "L"}.get(name[-1], name[-1]) if "." in name else name
            assert mirrored[other] == pytest.approx(MIRROR @ place, abs=1e-9)


@pytest.mark.thorough
def test_random_poses_stay_within_the_limits_stand_on_the_floor_and_are_diverse(stick_figure: Figure) -> None:
    random = np.random.default_rng(9)
    skeleton = stick_figure.skeleton
    kinds, elbows = set(), []
    for _ in range(150):
        heading, place = random.uniform(-3, 3), tuple(random.uniform(-1, 1, 2))
        pose = random_pose(stick_figure, random).moved(stick_figure, heading, place)
        for name, angles in joint_angles(skeleton, pose.transforms).items():
            low, high = JOINT_LIMITS[name]
            assert low - 1e-6 <= min(angles) <= max(angles) <= high + 1e-6, name
        for side in pose.planted:
            foot = pose.transforms[skeleton.place(f"foot.{side}")]
            sole = stick_figure.soles[side] @ foot[:3, :3].T + skeleton.posed_head(pose.transforms, f"foot.{side}")
            assert sole[:, 2].min() == pytest.approx(0, abs=1e-6)
        assert not collides(stick_figure.parts(pose.transforms))
        kinds.add(pose.kind)
        elbows += joint_angles(skeleton, pose.transforms)["elbow"]
    assert len(kinds) == 7
    assert (min(elbows) < 20, max(elbows) > 110) == (True, True)


def test_an_elbow_that_bends_too_far_breaks_the_limits(stick_figure: Figure) -> None:
    folded = Arm(np.array([1.0, 0, 0]), np.array([-1.0, -0.1, 0]))
    angles = joint_angles(stick_figure.skeleton, posed(stick_figure.skeleton, standing((folded, folded))))
    assert angles["elbow"][0] > JOINT_LIMITS["elbow"][1]
    behind = Arm(np.array([0.2, 1.0, -0.2]), np.array([0.2, 1.0, -0.1]))
    angles = joint_angles(stick_figure.skeleton, posed(stick_figure.skeleton, standing((behind, behind))))
    assert angles["shoulder_back"][0] > JOINT_LIMITS["shoulder_back"][1]


def test_limbs_inside_each_other_are_seen(stick_figure: Figure) -> None:
    skeleton = stick_figure.skeleton
    apart = posed(skeleton, standing())
    assert not collides(stick_figure.parts(apart))
    # The forearm goes through the belly.
    across = Arm(np.array([0.1, 0, -1.0]), np.array([-1.0, 0.02, 0]))
    assert collides(stick_figure.parts(posed(skeleton, standing((across, standing().arms["R"])))))
    moved = posed(skeleton, Goal(standing().shift + np.array([0.3, 0, 0]), *list(vars(standing()).values())[1:]))
    assert people_collide(stick_figure.parts(apart), stick_figure.parts(moved))


def test_distances_of_segments_have_a_closed_form() -> None:
    def at(*values: float) -> np.ndarray:
        return np.array(values, float)

    x = (at(-1, 0, 0), at(1, 0, 0))
    assert segment_distance(x, (at(0, -1, 2), at(0, 1, 2))) == pytest.approx(2)  # crossed
    assert segment_distance(x, (at(-3, 1, 0), at(5, 1, 0))) == pytest.approx(1)  # side by side
    assert segment_distance(x, (at(4, 4, 0), at(4, 9, 0))) == pytest.approx(5)  # end to end
    assert segment_distance(x, (at(2, 0, 1), at(2, 0, 1))) == pytest.approx(math.sqrt(2))  # a point
    assert segment_distance((at(0, 0, 0),) * 2, (at(3, 4, 0),) * 2) == pytest.approx(5)


# The file


def test_the_annotations_are_what_pycocotools_takes(tmp_path: Path) -> None:
    from app.rendered_people.scene_set import _keypoints, coco_file
    from app.rendered_people.wishes import Wishes

    points = np.column_stack([np.linspace(100, 300, 17), np.linspace(50, 400, 17)]) + 0.5
    keypoints = _keypoints(points, [OUTSIDE, OCCLUDED] + [VISIBLE] * 15)
    # The truth counts from the corner of the first pixel, the file from its centre.
    assert keypoints[:6] == [0, 0, 0, 112.5, 71.875, 1]
    entry = {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "iscrowd": 0,
        "bbox": [90.0, 40.0, 220.0, 370.0],
        "area": 30_000,
        "num_keypoints": 16,
        "keypoints": keypoints,
    }
    image = {"id": 1, "file_name": "scene_0000.png", "width": 640, "height": 480}
    path = tmp_path / "person_keypoints.json"
    path.write_text(json.dumps(coco_file([image], [entry], 7, Wishes())))
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(path))
        found = truth.loadRes([{"image_id": 1, "category_id": 1, "keypoints": keypoints, "score": 0.9}])
        evaluation = COCOeval(truth, found, "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1)
    (category,) = truth.loadCats(truth.getCatIds())
    assert category["keypoints"][5] == "left_shoulder"
    assert [6, 8] in category["skeleton"]  # left shoulder, left elbow
    cv2.imwrite(str(tmp_path / image["file_name"]), np.zeros((480, 640, 3), np.uint8))
    from app.evaluation.annotations import read_annotations

    annotations = read_annotations(path, tmp_path)
    assert annotations.skipped == ()
    assert annotations.images[0].people[0].joints[1] == pytest.approx([112.5, 71.875])
