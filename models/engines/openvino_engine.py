"""Runs a bundle in OpenVINO on the CPU: the networks and every decoder, converted from their torch modules."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.detections import Detection, detections_from, detector_anchors
from models.devices import Device
from models.engines.graph_cache import GraphCache
from models.engines.openvino_runtime import openvino
from models.head_file import LoadedHeads, TrainedHead
from models.readings import DECODER_NAMES, HEADS_FOR, HEATMAP_DECODERS, PEAK, SHARED, CropReadings, joined
from models.regions import Region
from models.stage_clock import DECODE, StageClock
from models.traits import BLAZEPOSE

# Taking the decoders apart costs half as much as decoding: only now and then.
_PARTS_EVERY = 32
# After the warm-up, and early enough for a short clip.
_FIRST_PARTS = 6
CONFIG = {
    # Where the processor could compute in bfloat16 it would: half a cell off on average.
    "INFERENCE_PRECISION_HINT": "f32",
    "PERFORMANCE_HINT": "LATENCY",
    "NUM_STREAMS": "1",
    # A thread that is tied to a core waits for whatever else runs there.
    "ENABLE_CPU_PINNING": "NO",
}
_GRAPHS = ("detector", "landmarks", "decoders")


class OpenVinoEngine:
    """Both networks and every decoder as three OpenVINO graphs, in float32. See `models.engines.engine.Engine`.

    The graphs are kept in the user's cache directory. With them torch is not needed, and not imported.
    heads: trained for this network, computed with it whether they are read or not. Raises HeadError for others.
    """

    name = "openvino"
    traits = BLAZEPOSE
    detects_aside = True

    def __init__(
        self,
        bundle: Bundle,
        device: Device,
        cache: GraphCache | None = None,
        heads: Sequence[TrainedHead] = (),
    ) -> None:
        self.label = "cpu (OpenVINO)"
        self.warning = device.warning
        self._core = openvino.Core()
        self.heads = LoadedHeads(heads)
        self._detector, self._landmarks, self._decoders = self._requests(bundle, cache or GraphCache())
        self.detector_size = int(self._detector.get_input_tensor(0).shape[1])
        self.landmark_size = int(self._landmarks.get_input_tensor(0).shape[1])
        self._anchors = detector_anchors(self.detector_size)
        # One buffer for both: what the network writes, the decoders read.
        own = len(HEADS_FOR) - 1 if heads else 0
        for index in range(4):
            self._decoders.set_input_tensor(index + (own if index else 0), self._landmarks.get_output_tensor(index))
        self._shipped = self._landmarks.get_output_tensor(0)
        self._merges = [
            _Merge(self._shipped, self._landmarks.get_output_tensor(5 + i), head.about.joints)
            for i, head in enumerate(heads)
        ]
        self._beta = self._decoders.get_input_tensor(4 + own).data
        self._results = [
            *(self._decoders.get_output_tensor(i).data for i in range(3)),
            self._landmarks.get_output_tensor(4).data,
        ]
        self._frames = 0

    def _requests(self, bundle: Bundle, cache: GraphCache) -> list[openvino.InferRequest]:
        heads = self.heads.trained
        for head in heads:
            head.check_network(bundle.landmarks_sha256)
        key = [bundle.sha256, openvino.get_version(), str(self._core.get_property("CPU", "FULL_DEVICE_NAME"))]
        key += [head.sha256 for head in heads]
        kept = cache.read(key, _GRAPHS)
        compiled = None
        if kept is not None:
            try:
                compiled = [
                    self._core.import_model(io.BytesIO(kept[name]), "CPU", self._config(name)) for name in _GRAPHS
                ]
            except RuntimeError:
                # Damaged, or written by another OpenVINO: made anew.
                compiled = None
        if compiled is None:
            from models.engines.openvino_graphs import make_graphs

            compiled = [
                self._core.compile_model(graph, "CPU", self._config(name))
                for name, graph in zip(_GRAPHS, make_graphs(bundle, heads), strict=True)
            ]
            cache.write(key, {name: _exported(model) for name, model in zip(_GRAPHS, compiled, strict=True)})
        return [model.create_infer_request() for model in compiled]

    @staticmethod
    def _config(graph: str) -> dict[str, str]:
        # Counters only where the parts are of interest.
        return {
            **CONFIG,
            "INFERENCE_NUM_THREADS": str(cpu_threads()),
            "PERF_COUNT": "YES" if graph == "decoders" else "NO",
        }

    def clock(self) -> StageClock:
        return StageClock()

    def upload(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return image

    def detect(self, image: NDArray[np.uint8], square: Region, clock: StageClock) -> list[Detection]:
        _fill(self._detector, square.cut(image, self.detector_size))
        clock.lap("preprocess")
        _infer(self._detector)
        boxes, logits = (self._detector.get_output_tensor(i).data[0] for i in range(2))
        people = detections_from(boxes, logits, self._anchors, self.detector_size)
        clock.lap("detect")
        return people

    def read(
        self,
        image: NDArray[np.uint8],
        regions: Sequence[Region],
        beta: float,
        clock: StageClock,
        *,
        keep_heatmaps: bool,
    ) -> CropReadings:
        clock.parts = {}
        # Of one crop among several the parts would not be those of the whole.
        alone = len(regions) == 1
        return joined([self._read_one(image, region, beta, clock, alone) for region in regions])

    def _read_one(
        self, image: NDArray[np.uint8], region: Region, beta: float, clock: StageClock, alone: bool
    ) -> CropReadings:
        _fill(self._landmarks, region.cut(image, self.landmark_size, extend=True))
        clock.lap("preprocess")
        _infer(self._landmarks)
        read = self.heads.maps_read()
        merged = {number: self._merges[number - 1].merged() for number in set(read) if number}
        if self._merges:
            tensors = {
                0: self._shipped,
                **{number: openvino.Tensor(maps, shared_memory=True) for number, maps in merged.items()},
            }
            for index, number in enumerate(read):
                self._decoders.set_input_tensor(index, tensors[number])
        clock.lap("network")
        self._beta[...] = beta
        _infer(self._decoders)
        # Copies: the next frame is written into the same buffers.
        points, scores, alignment, presence = (result.copy() for result in self._results)
        if len(set(read)) == 1:
            # One set of maps: it has one set of peaks.
            points, read = points[:, : len(DECODER_NAMES) + 1], read[:1]
        if 0 in read:
            merged[0] = self._shipped.data.copy()
        heatmaps = [merged[number] for number in read]
        clock.lap(DECODE)
        self._frames += 1
        if alone and self._frames % _PARTS_EVERY == _FIRST_PARTS:
            clock.parts = self._parts()
            clock.skip()
        return CropReadings.of_parts(points, scores, alignment, presence, heatmaps)

    def _parts(self) -> dict[str, int]:
        """Nanoseconds of the last decoding by part, from the graph's own counters."""
        parts = dict.fromkeys((SHARED, *HEATMAP_DECODERS, PEAK), 0)
        for node in self._decoders.profiling_info:
            # "__module.decoders.ipr/aten::softmax/Softmax", or without a module where it serves all of them.
            name = node.node_name.partition("/")[0].rpartition(".")[2]
            parts[name if name in parts else SHARED] += round(node.real_time.total_seconds() * 1e9)
        return parts


class _Merge:
    """Makes maps of all joints (1, 33, H, W): a head's own, and the shipped ones of joints that it was not trained on.

    Copied here and not in the graph, where it takes three times as long; joints that lie side by side at once.
    """

    def __init__(self, shipped: openvino.Tensor, own: openvino.Tensor, joints: Sequence[int]) -> None:
        self._shipped, self._own = shipped.data, own.data
        others = [joint for joint in range(self._shipped.shape[1]) if joint not in joints]
        self._of_own = _runs(list(joints), list(range(len(joints))))
        self._of_shipped = _runs(others, others)

    def merged(self) -> NDArray[np.float32]:
        maps = np.empty(self._shipped.shape, np.float32)
        for to, source in self._of_own:
            maps[:, to] = self._own[:, source]
        for to, source in self._of_shipped:
            maps[:, to] = self._shipped[:, source]
        return maps


def _runs(to: Sequence[int], source: Sequence[int]) -> list[tuple[slice, slice]]:
    """Both cut where either does not go up by 1."""
    starts = [i for i in range(len(to)) if i == 0 or (to[i] - to[i - 1], source[i] - source[i - 1]) != (1, 1)]
    return [
        (slice(to[start], to[end - 1] + 1), slice(source[start], source[end - 1] + 1))
        for start, end in zip(starts, [*starts[1:], len(to)], strict=True)
    ]


def cpu_threads() -> int:
    """Threads for the graphs."""
    return min(_MOST_THREADS, os.cpu_count() or 1)


_MOST_THREADS = 8


def _fill(request: openvino.InferRequest, image: NDArray[np.uint8]) -> None:
    """(S, S, 3) uint8 BGR -> the request's input (1, S, S, 3) float32 RGB, 0 to 255."""
    rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    np.copyto(request.get_input_tensor(0).data[0], rgb, casting="unsafe")


def _infer(request: openvino.InferRequest) -> None:
    # Otherwise every output is copied into a result that nobody looks at.
    request.infer(share_outputs=True)


def _exported(model: openvino.CompiledModel) -> bytes:
    stream = io.BytesIO()
    model.export_model(stream)
    return stream.getvalue()
