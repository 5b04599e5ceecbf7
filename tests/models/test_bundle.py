"""Bundles that are missing, damaged or something else."""

from __future__ import annotations

import zipfile

import pytest

from app.bundled import MODELS, model_file
from models.bundle import DETECTOR_MEMBER, LANDMARKS_MEMBER, open_bundle
from models.errors import BundleError


@pytest.mark.parametrize("model", MODELS)
def test_shipped_bundles_are_what_was_published(model):
    path, sha256 = model_file(model)
    bundle = open_bundle(path, sha256)
    assert bundle.detector[4:8] == bundle.landmarks[4:8] == b"TFL3"


def test_wrong_sha256_is_told(tmp_path):
    path, sha256 = model_file("lite")
    changed = bytearray(path.read_bytes())
    changed[100_000] ^= 1
    copy = tmp_path / "changed.task"
    copy.write_bytes(changed)
    with pytest.raises(BundleError, match="sha256"):
        open_bundle(copy, sha256)


def write(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, DETECTOR_MEMBER),
        ({DETECTOR_MEMBER: b"x"}, LANDMARKS_MEMBER),
        ({"hand_detector.tflite": b"x", "hand_landmarks_detector.tflite": b"x"}, "not a pose bundle"),
    ],
)
def test_other_bundles_are_told_apart(tmp_path, members, expected):
    path = tmp_path / "other.task"
    write(path, members)
    with pytest.raises(BundleError, match=expected):
        open_bundle(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all" * 100])
def test_what_is_no_zip_is_told(tmp_path, content):
    path = tmp_path / "no.task"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=r"not a \.task bundle"):
        open_bundle(path)


def test_truncated_missing_and_folder(tmp_path):
    whole = model_file("lite")[0].read_bytes()
    path = tmp_path / "half.task"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BundleError, match="truncated"):
        open_bundle(path)
    with pytest.raises(BundleError, match="No such model file"):
        open_bundle(tmp_path / "absent.task")
    with pytest.raises(BundleError, match="Cannot read"):
        open_bundle(tmp_path)


def test_a_flipped_bit_inside_a_member_is_found(tmp_path):
    changed = bytearray(model_file("lite")[0].read_bytes())
    changed[1_000_000] ^= 4
    path = tmp_path / "flipped.task"
    path.write_bytes(changed)
    with pytest.raises(BundleError, match="damaged"):
        open_bundle(path)
