"""The networks in torch against LiteRT running the same files."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from ai_edge_litert.interpreter import Interpreter

from app.bundled import SAMPLE_CLIP, model_file
from app.sources.video_file import VideoFileSource
from models.blazepose import LandmarkNetwork, PersonDetector
from models.bundle import open_bundle
from models.detections import detections_from
from models.errors import BundleError
from models.regions import Region, letterbox
from models.tflite_graph import TFLiteGraph


def tolerance(reference):
    """1e-3, and for values beyond ±50, where float32 itself is coarser, as much more as they are larger."""
    return 1e-3 * max(1.0, np.abs(reference).max() / 50)


@cache
def first_frame():
    source = VideoFileSource(SAMPLE_CLIP)
    source.open()
    frame = source.read()
    source.close()
    return frame.image


def real_crops(size):
    """Three crops of the shipped clip, the person large, small and turned, in RGB, (3, S, S, 3) in [0, 1]."""
    regions = (Region(455, 300, 520, 0.0), Region(455, 200, 300, 0.4), Region(300, 280, 900, -0.2))
    return np.stack([r.cut(first_frame(), size)[..., ::-1] for r in regions]).astype(np.float32) / 255


def random_images(size):
    return np.random.default_rng(7).random((2, size, size, 3), np.float32)


def litert_outputs(model, images):
    """Outputs of LiteRT in the order of the file, each for all `images` (N, H, W, 3)."""
    interpreter = Interpreter(model_content=model, num_threads=2)
    interpreter.allocate_tensors()
    details = interpreter.get_output_details()
    order = [
        d["index"]
        for d in sorted(details, key=lambda d: d["name"].decode() if isinstance(d["name"], bytes) else d["name"])
    ]
    results = []
    for image in images:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
        interpreter.invoke()
        results.append([interpreter.get_tensor(i)[0].copy() for i in order])
    return [np.stack(parts) for parts in zip(*results, strict=True)]


def as_batch(images):
    return torch.from_numpy(images).permute(0, 3, 1, 2)


@pytest.mark.parametrize("model", ["lite", "full", pytest.param("heavy", marks=pytest.mark.thorough)])
@pytest.mark.parametrize("images", [random_images, real_crops])
@torch.inference_mode()
def test_landmark_network_equals_litert(model, images):
    content = open_bundle(model_file(model)[0]).landmarks
    batch = images(256)
    landmarks, presence, _, heatmaps, _ = litert_outputs(content, batch)
    ours = LandmarkNetwork(content).eval().logits(as_batch(batch))
    assert np.abs(ours[2].permute(0, 2, 3, 1).numpy() - heatmaps).max() < tolerance(heatmaps)
    # What the decoders read: the logits' last digits drown where the sigmoid is flat.
    heights = ours[2].sigmoid().permute(0, 2, 3, 1).numpy()
    assert np.abs(heights - 1 / (1 + np.exp(-heatmaps.astype(np.float64)))).max() < 1e-4
    assert np.abs(ours[0].numpy() - landmarks).max() < 1e-2  # of 256 pixels
    assert np.abs(ours[1].numpy() - presence).max() < 1e-5


@pytest.mark.parametrize("images", [random_images, real_crops])
@torch.inference_mode()
def test_detector_equals_litert(images):
    content = open_bundle(model_file("lite")[0]).detector
    batch = images(224) * 2 - 1
    boxes, logits = litert_outputs(content, batch)
    ours = PersonDetector(content).eval()(as_batch(batch))
    assert np.abs(ours[0].numpy() - boxes).max() < tolerance(boxes)
    assert np.abs(ours[1].numpy() - logits[..., 0]).max() < tolerance(logits)


def test_only_the_branches_that_are_asked_for_are_built():
    content = open_bundle(model_file("lite")[0]).landmarks
    heatmaps_alone = TFLiteGraph(content, [3])
    everything = TFLiteGraph(content, range(5))
    assert len(heatmaps_alone.layers) < len(LandmarkNetwork(content).graph.layers) < len(everything.layers)


@torch.inference_mode()
def test_detector_finds_the_person_of_the_clip():
    detector = PersonDetector(open_bundle(model_file("lite")[0]).detector).eval()
    image = first_frame()
    square = letterbox(*image.shape[:2])
    pixels = square.cut(image, 224)[..., ::-1].astype(np.float32) / 127.5 - 1
    boxes, logits = detector(as_batch(pixels[None]))
    people = detections_from(boxes[0].numpy(), logits[0].numpy(), detector.anchors, 224)
    assert len(people) == 1
    hips, _ = square.to_image(people[0].keypoints[:2])
    # The truth of the clip: hips at x 476 and 433, y 299.
    assert hips == pytest.approx([454, 299], abs=25)
    assert detections_from(boxes[0].numpy(), np.full(len(logits[0]), -5.0), detector.anchors, 224) == []


@pytest.mark.parametrize("cut", [0, 3, 100, 5000, 500_000])
def test_damaged_networks_are_one_sentence(cut):
    content = open_bundle(model_file("lite")[0]).landmarks
    with pytest.raises(BundleError) as error:
        LandmarkNetwork(content[:cut])
    assert "\n" not in str(error.value)


def test_a_detector_is_not_a_landmark_network():
    bundle = open_bundle(model_file("lite")[0])
    with pytest.raises(BundleError):
        LandmarkNetwork(bundle.detector)
    with pytest.raises(BundleError):
        PersonDetector(bundle.landmarks)
