"""What `posescope evaluate` reads: annotation files, joint sets, pictures; each fault named in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools.cocoeval import Params  # type: ignore[import-untyped]

from app.errors import SourceError, UserError
from app.evaluation.annotations import AREA_OF_BOX, Selection, read_annotations, read_picture
from app.evaluation.joint_sets import LSP_JOINTS, built_in_set, mapped_set
from models.skeletons import BLAZEPOSE_33, COCO_17
from tests.app.evaluation_builders import coco_annotation, coco_image, write_png, write_set


def _why(skipped: Any) -> dict[str, str]:
    return {one.what: one.why for one in skipped}


def test_people_come_as_they_were_annotated(tmp_path: Path) -> None:
    labels = [2, 1, 0] + [2] * 14
    keypoints = [value for i, label in enumerate(labels) for value in (20 + i, 30.5 + i, label)]
    path, folder = write_set(tmp_path, [coco_annotation(keypoints=keypoints, id=7)])
    found = read_annotations(path, folder)
    (image,) = found.images
    (somebody,) = image.people
    assert (found.joint_set.name, found.category_id, found.skipped) == ("COCO-17", 1, ())
    assert (image.name, image.size, image.path) == ("1.png", (80, 100), folder / "1.png")
    assert somebody.joints[1].tolist() == [21, 31.5]
    assert somebody.labels.tolist() == labels
    assert (somebody.annotation_id, somebody.area, somebody.longer_side) == (7, 1000.0, 60)
    assert (somebody.labelled, somebody.occluded_share) == (16, 1 / 16)
    assert (somebody.is_cut(2.0), somebody.is_cut(10.0)) == (False, True)


def test_crowds_and_people_without_keypoints_are_there_but_not_scored(tmp_path: Path) -> None:
    annotations = [
        coco_annotation(id=1),
        coco_annotation(id=2, iscrowd=1),
        coco_annotation(id=3, keypoints=[0] * 51),
        coco_annotation(id=4, keypoints=None),
        coco_annotation(id=5, category_id=2, bbox="not looked at"),
        coco_annotation(id=6, keypoints=[30, 40, 2] * 3 + [0] * 42),
        coco_annotation(id=8, bbox=[10, 20, 10, 30]),
    ]
    path, folder = write_set(tmp_path, annotations)
    (image,) = read_annotations(path, folder, None, Selection(min_keypoints=4, min_area=301)).images
    assert {one.annotation_id: one.scored for one in image.people} == {
        1: True,
        2: False,
        3: False,
        4: False,
        6: False,
        8: False,
    }
    assert [one.annotation_id for one in image.people if one.crowd] == [2]
    (image,) = read_annotations(path, folder, None, Selection(min_keypoints=3, min_area=300)).images
    assert [one.annotation_id for one in image.people if one.scored] == [1, 6, 8]


def test_an_area_that_is_missing_is_a_share_of_the_box(tmp_path: Path) -> None:
    path, folder = write_set(tmp_path, [coco_annotation(area=None)])
    assert read_annotations(path, folder).images[0].people[0].area == pytest.approx(AREA_OF_BOX * 40 * 60)


def test_only_the_first_images_with_somebody(tmp_path: Path) -> None:
    annotations = [coco_annotation(id=i, image_id=i) for i in (2, 3, 4)]
    path, folder = write_set(tmp_path, annotations, [coco_image(i) for i in range(1, 5)])
    assert [image.id for image in read_annotations(path, folder, None, Selection(limit=2)).images] == [2, 3]


NAN = float("nan")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"bbox": None}, "Its bbox is missing or is not four numbers."),
        ({"bbox": [1, 2, 3]}, "Its bbox is missing or is not four numbers."),
        ({"bbox": [1, 2, 3, NAN]}, "Its bbox is missing or is not four numbers."),
        ({"bbox": [1, 2, 3, "4"]}, "Its bbox is missing or is not four numbers."),
        ({"bbox": [1, 2, 3, 10**400]}, "Its bbox is missing or is not four numbers."),
        ({"bbox": [1, 2, 0, 4]}, "Its bbox has no width or no height."),
        ({"bbox": [80, 2, 3, 4]}, "Its bbox lies outside of the picture."),
        ({"bbox": [1, 2, 3, 1001]}, "Its bbox is far larger than the picture."),
        ({"area": -1}, "Its area is not a number greater than 0."),
        ({"area": "large"}, "Its area is not a number greater than 0."),
        ({"keypoints": [1, 2]}, "Its keypoints are 2 numbers where 51 are needed."),
        ({"keypoints": [NAN] * 51}, "Its keypoints are not a list of numbers."),
        ({"keypoints": "many"}, "Its keypoints are not a list of numbers."),
        ({"keypoints": [5] * 51}, "One of its keypoints has a visibility other than 0, 1 and 2."),
        ({"id": "one"}, "It has no id that is a whole number."),
        ({"image_id": 9}, "No image has the id 9."),
    ],
)
def test_a_broken_annotation_is_named_and_left_out(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    path, folder = write_set(tmp_path, [coco_annotation(id=1), coco_annotation(**{"id": 2, **changes})])
    found = read_annotations(path, folder)
    assert [one.annotation_id for one in found.images[0].people] == [1]
    name = f"annotation {changes.get('id', 2)} of image {changes.get('image_id', 1)}"
    assert _why(found.skipped) == {name: why}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"file_name": "../1.png"}, "Its file_name leads out of the folder of images."),
        ({"file_name": "a/../../1.png"}, "Its file_name leads out of the folder of images."),
        ({"file_name": "/etc/passwd"}, "Its file_name leads out of the folder of images."),
        ({"file_name": "C:\\1.png"}, "Its file_name leads out of the folder of images."),
        ({"file_name": "..\\1.png"}, "Its file_name leads out of the folder of images."),
        ({"file_name": None}, "It has no file_name."),
        ({"file_name": 5}, "It has no file_name."),
        ({"width": None}, "It has no width and height."),
        ({"height": 0}, "It has no width and height."),
        ({"id": True}, "It has no id that is a whole number."),
        ({"id": 1}, "The id 1 is there twice."),
    ],
)
def test_a_broken_image_is_named_and_left_out(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    path, folder = write_set(tmp_path, [coco_annotation()], [coco_image(), coco_image(2, **changes)])
    found = read_annotations(path, folder)
    assert [image.id for image in found.images] == [1]
    name = changes.get("file_name", "2.png")
    assert _why(found.skipped) == {name if isinstance(name, str) else "image 2 of the file": why}


def test_what_is_no_object_is_named_by_its_place(tmp_path: Path) -> None:
    path, folder = write_set(tmp_path, [5, coco_annotation(), {"image_id": "x"}], ["a", coco_image()])
    assert _why(read_annotations(path, folder).skipped) == {
        "annotation 1 of the file": "It belongs to no image.",
        "annotation 3 of the file": "It belongs to no image.",
        "image 1 of the file": "It has no id that is a whole number.",
    }


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "“people.json” is empty: a COCO keypoint file with images, annotations and categories is needed."),
        ("{", "“people.json” is not JSON: "),
        ("[" * 100_000, "“people.json” is not JSON: "),
        (b"\xff\xfe\x00", "“people.json” is not JSON: "),
        ("[]", "“people.json” is a list, perhaps of results: "),
        ('{"images": []}', "“people.json” is another kind of JSON file: "),
        ('{"images": [], "annotations": [], "categories": 5}', "“people.json” is another kind of JSON file: "),
        (
            '{"images": [], "annotations": [], "categories": [{"id": 1}]}',
            "No category of “people.json” has keypoints: ",
        ),
    ],
)
def test_another_kind_of_file_is_answered_with_one_sentence(
    tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    path = tmp_path / "people.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError) as error:
        read_annotations(path, tmp_path)
    assert str(error.value).startswith(sentence)
    assert str(error.value).endswith("categories is needed.")
    assert "\n" not in str(error.value)


def test_files_and_people_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.json cannot be read: No such file or directory"):
        read_annotations(tmp_path / "none.json", tmp_path)
    path, folder = write_set(tmp_path, [coco_annotation(iscrowd=1)])
    with pytest.raises(UserError, match="There is no folder of images at"):
        read_annotations(path, tmp_path / "nowhere")
    with pytest.raises(UserError, match="holds no person with a labelled keypoint"):
        read_annotations(path, folder)
    path, folder = write_set(tmp_path, [coco_annotation()])
    with pytest.raises(UserError, match="holds nobody with so many keypoints in so large a box"):
        read_annotations(path, folder, None, Selection(min_area=1e6))
    path, folder = write_set(tmp_path, [coco_annotation()], [coco_image(file_name="../x")])
    with pytest.raises(UserError, match="holds no person"):
        read_annotations(path, folder)


# Pictures


def test_pictures_are_read_as_they_lie_in_the_file(tmp_path: Path) -> None:
    path, folder = write_set(tmp_path, [coco_annotation()], pictures=())
    (image,) = read_annotations(path, folder).images
    rows, columns = np.mgrid[0:100, 0:80].astype(np.uint8)
    picture = np.dstack((rows * 2, columns * 3, rows))
    jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    # EXIF: orientation 6, turn by 90° for display.
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    turned = jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]
    (folder / "1.png").write_bytes(turned)
    assert cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR).shape == (80, 100, 3)
    read = read_picture(image)
    assert read.shape == (100, 80, 3)
    assert np.abs(read.astype(int) - picture).max() < 8


def test_pictures_that_cannot_be_used(tmp_path: Path) -> None:
    path, folder = write_set(tmp_path, [coco_annotation()], pictures=())
    (image,) = read_annotations(path, folder).images
    with pytest.raises(SourceError, match=r"^The file is missing\.$"):
        read_picture(image)
    for data in (b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"x" * 50):
        image.path.write_bytes(data)
        with pytest.raises(SourceError, match=r"^The file is not a picture that can be read\.$"):
            read_picture(image)
    write_png(image.path, np.zeros((80, 100, 3), np.uint8))
    with pytest.raises(SourceError, match="It has 100 × 80 pixels, but was annotated with 80 × 100"):
        read_picture(image)
    image.path.unlink()
    image.path.mkdir()
    with pytest.raises(SourceError, match="The file cannot be read"):
        read_picture(image)


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    for name in ("a\0b.png", "\ud800.png"):
        path, folder = write_set(tmp_path, [coco_annotation()], [coco_image(file_name=name)], pictures=())
        (image,) = read_annotations(path, folder).images
        assert image.name == image.people[0].image == name.replace("\0", "\ufffd").replace("\ud800", "\ufffd")
        with pytest.raises(SourceError, match="The file"):
            read_picture(image)


# Joint sets


def test_joints_are_found_by_their_names_in_any_order(tmp_path: Path) -> None:
    joints = ("right_knee", "nose", "left_ear")
    keypoints = [1, 2, 2, 3, 4, 1, 5, 6, 2]
    path, folder = write_set(tmp_path, [coco_annotation(keypoints=keypoints)], joints=joints)
    found = read_annotations(path, folder).joint_set
    assert found.name == "COCO-17"
    assert [BLAZEPOSE_33.joints[source[0]] for source in found.sources] == list(joints)
    assert found.sigmas == pytest.approx((0.087, 0.026, 0.035))
    whole = built_in_set(COCO_17.joints)
    assert whole.sigmas == pytest.approx(Params("keypoints").kpt_oks_sigmas)
    assert whole.left_out == ()


def test_the_joints_of_lsp_without_the_top_of_the_head() -> None:
    found = built_in_set([name.replace("_", " ").title() for name in LSP_JOINTS])
    assert (found.name, found.left_out, len(found.joints)) == ("LSP-14", ("Head Top",), 13)
    assert found.sigmas[found.joints.index("Neck")] == pytest.approx(0.079)
    assert found.sigmas[found.joints.index("Left Ankle")] == pytest.approx(0.089)
    values = np.zeros((2, len(found.needed), 2))
    left, right = (found.needed.index(BLAZEPOSE_33.index[f"{side}_shoulder"]) for side in ("left", "right"))
    values[1, left], values[1, right] = (4, 10), (8, 30)
    means = found.means(values, 1)
    assert means.shape == (2, 13, 2)
    assert means[1, found.joints.index("Neck")].tolist() == [6, 20]
    assert means[1, found.joints.index("Left Shoulder")].tolist() == [4, 10]
    with pytest.raises(UserError, match="None of the joints"):
        built_in_set(["head top"])


def test_other_joints_of_blazepose_and_unknown_ones() -> None:
    found = built_in_set(["left_heel", "nose"])
    assert (found.name, found.sigmas) == ("BlazePose-33", pytest.approx((0.072, 0.026)))
    with pytest.raises(UserError, match=r"Unknown joint “left_elbo”. Did you mean “left_elbow”\? .* --mapping"):
        built_in_set(["left_elbo"])


def test_a_mapping_of_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / "hips.json"
    joints = {"pelvis": ["left_hip", "right_hip"], "toe": "left_foot_index", "knee": "left_knee"}
    path.write_text(json.dumps({"joints": joints, "sigmas": {"knee": 0.05}}))
    found = mapped_set(path, ["knee", "tail", "pelvis", "toe"])
    assert (found.name, found.joints, found.left_out) == ("hips", ("knee", "pelvis", "toe"), ("tail",))
    assert found.sigmas == pytest.approx((0.05, 0.107, 0.072))
    keypoints = [1, 1, 2, 9, 9, 2, 3, 3, 2, 4, 4, 1]
    annotations, folder = write_set(tmp_path, [coco_annotation(keypoints=keypoints)], joints=found.all_names)
    read = read_annotations(annotations, folder, path)
    assert read.images[0].people[0].joints.tolist() == [[1, 1], [3, 3], [4, 4]]
    assert _why(read.skipped) == {"tail": "BlazePose has no such joint: it is not compared."}


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("{", "The mapping “map.json” is not JSON"),
        ("[]", "The mapping “map.json” needs “joints”"),
        ('{"joints": {}}', "The mapping “map.json” needs “joints”"),
        ('{"joints": {"a": "nose"}, "sigmas": 3}', "The mapping “map.json” needs “joints”"),
        ('{"joints": {"ab": "nose"}}', "In the mapping: Unknown joint of the annotations “ab”. Did you mean “abc”?"),
        ('{"joints": {"a": "nos"}}', "In the mapping: Unknown joint of BlazePose “nos”. Did you mean “nose”?"),
        ('{"joints": {"a": []}}', "In the mapping, “a” needs the name of a joint of BlazePose"),
        ('{"joints": {"a": 3}}', "In the mapping, “a” needs the name of a joint of BlazePose"),
        ('{"joints": {"a": "nose"}, "sigmas": {"b": 1}}', "In the mapping, under sigmas: Unknown joint “b”"),
        ('{"joints": {"a": "nose"}, "sigmas": {"a": 0}}', "In the mapping, the sigma of “a” must be greater than 0"),
        ('{"joints": {"a": "nose"}, "sigmas": {"a": NaN}}', "In the mapping, the sigma of “a” must be greater than 0"),
    ],
)
def test_a_mapping_that_is_wrong_is_answered_with_one_sentence(tmp_path: Path, written: str, sentence: str) -> None:
    path = tmp_path / "map.json"
    path.write_text(written, "utf-8")
    with pytest.raises(UserError) as error:
        mapped_set(path, ["a", "abc"])
    assert str(error.value).startswith(sentence)
    with pytest.raises(UserError, match="cannot be read"):
        mapped_set(tmp_path / "none.json", ["a"])
