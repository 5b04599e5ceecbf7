"""Bundles that are missing, damaged or something else."""

from __future__ import annotations

import os
import threading
import tracemalloc
import zipfile

import pytest

from app.bundled import MODELS, model_file
from models.bundle import DETECTOR_MEMBER, LANDMARKS_MEMBER, LARGEST_BUNDLE_BYTES, LARGEST_MEMBER_BYTES, open_bundle
from models.errors import BundleError
from tests.fuzz.mutate import bomb


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


def refused(path):
    """The sentence, and the most memory in MB that it took to come to it."""
    tracemalloc.start()
    try:
        with pytest.raises(BundleError) as error:
            open_bundle(path)
        return str(error.value), tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.thorough
@pytest.mark.parametrize("claimed", [None, 10, 20_000_000])
def test_a_bomb_is_not_unpacked(tmp_path, claimed):
    path = tmp_path / "bomb.task"
    path.write_bytes(bomb(300 * 2**20, claimed))
    sentence, most = refused(path)
    # What claims little and is no more than that is whole, but lacks the other network.
    assert "claims" in sentence if claimed is None else DETECTOR_MEMBER not in sentence
    assert most < 100


@pytest.mark.thorough
def test_a_directory_of_millions_is_not_read(tmp_path):
    path = tmp_path / "many.task"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(40_000):
            archive.writestr(f"{i}", b"")
    sentence, most = refused(path)
    assert "not a .task bundle" in sentence
    # All 40,000 as objects would be 20 MB on top of the file.
    assert most < 2 * path.stat().st_size / 2**20 + 2


@pytest.mark.thorough
@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packing_that_could_expand_at_will_is_refused(tmp_path, method):
    path = tmp_path / "packed.task"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(DETECTOR_MEMBER, bytes(100_000_000)[:LARGEST_MEMBER_BYTES])
        archive.writestr(LANDMARKS_MEMBER, b"x")
    sentence, most = refused(path)
    assert "packed in a way" in sentence
    assert most < 10


def test_a_deflated_bundle_is_opened(tmp_path):
    path = tmp_path / "deflated.task"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(DETECTOR_MEMBER, b"first" * 10_000)
        archive.writestr(LANDMARKS_MEMBER, b"second")
    bundle = open_bundle(path)
    assert (bundle.detector, bundle.landmarks) == (b"first" * 10_000, b"second")


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "huge.task"
    with path.open("wb") as file:
        file.truncate(LARGEST_BUNDLE_BYTES + 1)
    sentence, most = refused(path)
    assert "more than 128 MB" in sentence
    assert most < 1


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices as on POSIX")
def test_a_pipe_and_a_device_are_not_read(tmp_path):
    pipe = tmp_path / "pipe.task"
    os.mkfifo(pipe)
    for path in (pipe, type(pipe)("/dev/zero")):
        sentences = []
        thread = threading.Thread(target=lambda path=path, sentences=sentences: sentences.append(refused(path)[0]))
        thread.start()
        thread.join(20)
        if thread.is_alive():  # let go of it, so that the test can end
            os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        assert sentences == [f"Cannot read the model file {path}: it is not a file."]
