"""Runs a bundle on an NVIDIA GPU as CUDA graphs: for each frame one upload, three replays and one download."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.blazepose import ALIGNMENT, JOINT_COUNT, LandmarkNetwork, LandmarkOutput, PersonDetector
from models.bundle import Bundle
from models.detections import Detection, detections_from
from models.devices import Device
from models.engines.cuda_layers import InHalf, Pointwise
from models.engines.device_clock import CudaClock
from models.engines.device_crop import FrameBuffer, Picture, drawn_person, host_memory, rows_needed, sample
from models.errors import DeviceError, unknown_name
from models.head_file import OWN, SHIPPED, LoadedHeads, TrainedHead
from models.heads import HeadedNetwork
from models.reader import DecoderReader
from models.readings import DECODER_NAMES, DEFAULT_BETA, HEADS_FOR, CropReadings
from models.regions import Region, letterbox
from models.stage_clock import DECODE, StageClock
from models.traits import BLAZEPOSE

# Of the landmark network; detector and decoders are always computed in float32. The heavy network on 131 crops with
# every layer's values rounded on the CPU, 4200 joints with a peak of .3 or more, distance from float32 in cells at p95,
# and the share above .1: float16 ipr .10 (5 %), regression .10 (5 %), debiased .06 (3 %), dark .03 (1 %); tf32 .06
# (2 %), .05 (2 %), .03 (2 %), .02 (0 %). Half a grey level of noise in the picture: ipr .11 (7 %).
PRECISIONS = ("float32", "tf32", "float16")
DEFAULT_PRECISION = "float32"
_WARM_UP_RUNS = 3
_TIMED_RUNS = 20
# For each convolution; all of them would take many seconds.
_ALGORITHMS_TRIED = 4
# Recorded ways from a size of picture and a number of people to keypoints; the one not used for longest goes.
_MOST_PLANS = 8
_LARGEST_DISAGREEMENT_CELLS = 0.1
# Of a plan's inputs: beta, and for each of HEADS_FOR whose maps it reads.
_BEFORE_CROPS = 1 + len(HEADS_FOR)


class CudaEngine:
    """Both networks and every decoder as CUDA graphs; see `models.engines.engine.Engine`.

    Crops are cut on the device. Crop, network and decoders are three graphs, replayed one after the other, so that
    plain events between them tell how long each took. Whether the network runs faster with channels last or first in
    memory depends on the GPU: both are tried. On a device that is no GPU the same steps are computed without graphs.

    heads: trained for this network; HeadError for others. They are computed in float32.
    precision: one of PRECISIONS; where float16 or tf32 does not agree with float32 on this device, it is float32, and
        `warning` says so. `precision` tells what was taken.

    Raises BundleError, DeviceError for an unknown precision, or whatever torch raises where graphs cannot be recorded
    here or do not agree with the CPU: another engine has to do then.
    """

    name = "cuda graph"
    traits = BLAZEPOSE
    detects_aside = False  # graphs of one queue share their memory

    def __init__(
        self, bundle: Bundle, device: Device, precision: str = DEFAULT_PRECISION, heads: Sequence[TrainedHead] = ()
    ) -> None:
        if precision not in PRECISIONS:
            raise DeviceError(unknown_name("precision", precision, PRECISIONS))
        self.label = device.label
        self.warning = device.warning
        self.precision = precision
        self._queue = _Queue(device.torch_device)
        # Those used last come last.
        self._plans: dict[tuple[tuple[int, ...], int | None], _ReadPlan | _DetectPlan] = {}
        self.heads = LoadedHeads(heads)
        landmarks, detector = LandmarkNetwork(bundle.landmarks), PersonDetector(bundle.detector)
        headed = HeadedNetwork(LandmarkNetwork(bundle.landmarks), heads) if heads else landmarks
        for network in (landmarks, headed, detector):
            network.eval().requires_grad_(False)
        self._anchors, self._detector_size = detector.anchors, detector.input_size[0]
        with torch.inference_mode(), self._queue.work():
            # Tried against what the network as shipped reads.
            self.heads.choice = SHIPPED
            self._settle(landmarks, headed, detector)
            self.heads.choice = OWN

    def clock(self) -> StageClock:
        return self._queue.clock()

    def upload(self, image: NDArray[np.uint8]) -> Picture:
        """Nothing is copied yet: `image` must stay as it is until it was read."""
        return Picture(image)

    @torch.inference_mode()
    def detect(self, image: Picture, square: Region, clock: StageClock) -> list[Detection]:
        with self._queue.work():
            boxes, logits = self._plan(image.shape, None).detect(image, square, clock)
            people = detections_from(boxes, logits, self._anchors, self._detector_size)
            clock.lap("detect")
        return people

    @torch.inference_mode()
    def read(
        self, image: Picture, regions: Sequence[Region], beta: float, clock: StageClock, *, keep_heatmaps: bool
    ) -> CropReadings:
        with self._queue.work():
            plan = self._plan(image.shape, len(regions))
            read: CropReadings = plan.read(image, regions, beta, self.heads.maps_read(), clock, keep_heatmaps)
        return read

    def _plan(self, shape: tuple[int, ...], people: int | None) -> Any:
        """A _ReadPlan, or the _DetectPlan where `people` is None, for pictures of this shape."""
        plan = self._plans.pop((shape, people), None)
        if plan is None:
            same_size = (other.buffer for (size, _), other in self._plans.items() if size == shape)
            buffer = next(same_size, None) or FrameBuffer(shape, self._queue.device)
            if people is None:
                plan = _DetectPlan(self._queue, buffer, self._detector)
            else:
                plan = _ReadPlan(self._queue, buffer, self._landmarks, people, self.precision == "tf32")
        self._plans[shape, people] = plan
        while len(self._plans) > _MOST_PLANS:
            del self._plans[next(iter(self._plans))]
        return plan

    def _settle(self, landmarks: LandmarkNetwork, headed: nn.Module, detector: PersonDetector) -> None:
        """Take the faster memory format of those that agree with the CPU; float32 where no other precision does."""
        picture = drawn_person(landmarks.input_size[0])
        expected = _read_on_cpu(landmarks, picture)
        asked, reason = self.precision, RuntimeError("no way to compute was tried")
        for self.precision in dict.fromkeys((asked, "float32")):
            ways = []
            for channels_last in (True, False) if self._queue.is_gpu else (True,):
                self._plans.clear()
                self._landmarks = self._on_device(headed, channels_last, half=self.precision == "float16")
                self._detector = self._on_device(detector, channels_last)
                try:
                    ways.append((self._try(picture, expected), self._landmarks, self._detector, self._plans.copy()))
                except RuntimeError as error:
                    reason = error
            if ways:
                _, self._landmarks, self._detector, self._plans = min(ways, key=lambda way: way[0])
                if self.precision != asked:
                    first_line = str(reason).partition("\n")[0]
                    self.warning = f"{asked} cannot be used on this GPU ({first_line}): computing in float32."
                return
        raise reason

    def _on_device(self, network: Any, channels_last: bool, half: bool = False) -> Any:
        network = copy.deepcopy(network)
        whole = network
        network = whole.network if isinstance(whole, HeadedNetwork) else whole
        layers = network.graph.layers
        for i in range(len(layers) if channels_last else 0):
            if Pointwise.can_be(layers[i]):
                layers[i] = Pointwise(layers[i])
        if half:
            network.graph = InHalf(network.graph)
        if not channels_last:
            # Crops come with channels last, and convolutions would keep to that.
            whole.register_forward_pre_hook(lambda module, inputs: (inputs[0].contiguous(),))
            return whole.to(self._queue.device)
        return whole.to(self._queue.device).to(memory_format=torch.channels_last)

    def _try(self, picture: NDArray[np.uint8], expected: CropReadings) -> float:
        """Median seconds of reading a picture. Raises RuntimeError where the CPU reads something else in it."""
        uploaded, region = self.upload(picture), letterbox(*picture.shape[:2])
        if len(self.detect(uploaded, region, StageClock())) != 1:
            raise RuntimeError("the person detector does not see the person in the test picture")
        seconds = []
        for _ in range(_TIMED_RUNS if self._queue.is_gpu else 1):
            start = time.perf_counter()
            read = self.read(uploaded, [region], DEFAULT_BETA, StageClock(), keep_heatmaps=False)
            seconds.append(time.perf_counter() - start)
        off = disagreement(read, expected)
        if not off <= _LARGEST_DISAGREEMENT_CELLS:
            raise RuntimeError(f"keypoints are {off:.2f} cells off those of the CPU")
        return statistics.median(seconds)


class _Queue:
    """What the device does, in order. On a GPU work is recorded once and replayed; elsewhere it is done at once."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.is_gpu = device.type == "cuda"
        self._stream = torch.cuda.Stream(device) if self.is_gpu else None  # type: ignore[no-untyped-call]

    def work(self) -> AbstractContextManager[Any]:
        """What is asked of the device within goes into this queue, from whichever thread."""
        return nullcontext() if self._stream is None else torch.cuda.stream(self._stream)

    def clock(self) -> StageClock:
        return StageClock() if self._stream is None else _QueueClock(self.device, self._stream)

    def wait(self) -> None:
        if self._stream is not None:
            self._stream.synchronize()

    def pool(self) -> Any:
        """Memory that graphs share which are replayed in the order in which they were recorded."""
        return torch.cuda.graph_pool_handle() if self.is_gpu else None

    def recorded(self, step: Callable[[], None], pool: Any, *, tf32: bool = False) -> Callable[[], None]:
        """Runs `step`, which must ask nothing of the device, and gives what repeats it on the same tensors."""
        with _arithmetic(tf32):
            if self._stream is None:
                step()
                return step
            for _ in range(_WARM_UP_RUNS):
                step()
            self._stream.synchronize()
            graph = torch.cuda.CUDAGraph()
            # Only this thread is watched: others may compute on the GPU meanwhile.
            with torch.cuda.graph(graph, pool, self._stream, capture_error_mode="thread_local"):
                step()
        graph.replay()
        return graph.replay


class _QueueClock(CudaClock):
    """Laps in this queue, also those that are made outside of `_Queue.work`."""

    def __init__(self, device: torch.device, stream: torch.cuda.Stream) -> None:
        self._stream = stream
        super().__init__(device)

    def _mark(self) -> Any:
        event: Any = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record(self._stream)
        return event


class _ReadPlan:
    """From pictures of one size to the keypoints of a number of people."""

    def __init__(
        self,
        queue: _Queue,
        buffer: FrameBuffer,
        network: LandmarkNetwork | HeadedNetwork,
        people: int,
        tf32: bool,
    ) -> None:
        self.buffer = buffer
        self._queue, self._network, self._decoders = queue, network, DecoderReader()
        # beta, whose maps are read, and the map of each crop.
        self._host_inputs = host_memory((_BEFORE_CROPS + 6 * people,), torch.float64, queue.device)
        self._inputs = torch.ones(_BEFORE_CROPS + 6 * people, dtype=torch.float64, device=queue.device)
        self._inputs[1:_BEFORE_CROPS] = 0
        pool = queue.pool()
        self._cut = queue.recorded(self._cut_crops, pool)
        self._compute = queue.recorded(self._run_network, pool, tf32=tf32)
        self._decode = queue.recorded(self._run_decoders, pool)
        self._host_packed = host_memory(self._packed.shape, torch.float32, queue.device)

    def read(
        self,
        picture: Picture,
        regions: Sequence[Region],
        beta: float,
        maps_read: tuple[int, ...],
        clock: StageClock,
        keep_heatmaps: bool,
    ) -> CropReadings:
        affines = [region.crop_to_image() for region in regions]
        self.buffer.bring(picture, rows_needed(affines, picture.shape[0]))
        self._host_inputs.numpy()[:] = np.concatenate(([beta], maps_read, *(affine.ravel() for affine in affines)))
        self._inputs.copy_(self._host_inputs, non_blocking=True)
        self._cut()
        clock.lap("preprocess")
        self._compute()
        clock.lap("network")
        self._decode()
        self._host_packed.copy_(self._packed, non_blocking=True)
        # One set of maps, where all decoders read the same.
        kinds = maps_read if len(set(maps_read)) > 1 else maps_read[:1]
        heatmaps = [self._maps[kind].cpu().numpy() for kind in kinds] if keep_heatmaps else None
        clock.lap(DECODE)
        self._queue.wait()
        points, scores, alignment, presence = _unpacked(self._host_packed.numpy().copy(), self._parts)
        points = points[:, : len(DECODER_NAMES) + len(kinds)]
        return CropReadings.of_parts(points, scores, alignment, presence, heatmaps)

    def _cut_crops(self) -> None:
        affines = self._inputs[_BEFORE_CROPS:].view(-1, 2, 3)
        crops = sample(self.buffer.frame, affines, self._network.input_size[0], extend=True)
        # To whole grey levels, as on the CPU.
        self._crops = crops.round() / 255.0

    def _run_network(self) -> None:
        values = self._network(self._crops)
        count = len(LandmarkOutput._fields)
        self._output = LandmarkOutput(*values[:count])
        self._maps = [self._output.heatmaps[:, :JOINT_COUNT], *values[count:]]

    def _run_decoders(self) -> None:
        maps: Tensor | tuple[Tensor, ...] = self._maps[0]
        if len(self._maps) > 1:
            chosen = self._inputs[1:_BEFORE_CROPS].long()
            maps = torch.stack(self._maps).index_select(0, chosen).unbind()
        self._parts = _decoded(self._decoders, self._output, maps, self._inputs[0].float())
        self._packed = torch.cat([part.flatten() for part in self._parts])


class _DetectPlan:
    """From pictures of one size to what the person detector says of them."""

    def __init__(self, queue: _Queue, buffer: FrameBuffer, network: PersonDetector) -> None:
        self.buffer = buffer
        self._queue, self._network = queue, network
        self._host_affine = host_memory((1, 2, 3), torch.float64, queue.device)
        self._affine = torch.ones(1, 2, 3, dtype=torch.float64, device=queue.device)
        pool = queue.pool()
        self._cut = queue.recorded(self._cut_square, pool)
        self._compute = queue.recorded(self._run_network, pool)
        self._host_packed = host_memory(self._packed.shape, torch.float32, queue.device)

    def detect(
        self, picture: Picture, square: Region, clock: StageClock
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes (A, 12) and logits (A,), raw."""
        affine = square.crop_to_image()
        self.buffer.bring(picture, rows_needed([affine], picture.shape[0]))
        self._host_affine.numpy()[:] = affine
        self._affine.copy_(self._host_affine, non_blocking=True)
        self._cut()
        clock.lap("preprocess")
        self._compute()
        self._host_packed.copy_(self._packed, non_blocking=True)
        self._queue.wait()
        boxes, logits = _unpacked(self._host_packed.numpy(), self._parts)
        return boxes[0], logits[0]

    def _cut_square(self) -> None:
        square = sample(self.buffer.frame, self._affine, self._network.input_size[0], extend=False)
        self._crop = square.round() / 127.5 - 1.0

    def _run_network(self) -> None:
        self._parts = self._network(self._crop)
        self._packed = torch.cat([part.flatten() for part in self._parts])


def disagreement(read: CropReadings, expected: CropReadings) -> float:
    """How far two readings of the same crops lie apart, in cells: the 95th percentile over decoders and joints."""
    assert expected.heatmaps is not None
    cells = (read.points - expected.points) * expected.heatmaps.shape[-1]
    return float(np.quantile(np.linalg.norm(cells, axis=-1), 0.95))


def _read_on_cpu(network: LandmarkNetwork, picture: NDArray[np.uint8]) -> CropReadings:
    """The whole of `picture` (H, W, 3), read in float32, layer by layer."""
    affine = torch.from_numpy(letterbox(*picture.shape[:2]).crop_to_image())
    crop = sample(torch.from_numpy(picture), affine[None], network.input_size[0], extend=True).round() / 255.0
    output = network(crop)
    maps = output.heatmaps[:, :JOINT_COUNT]
    parts = _decoded(DecoderReader(), output, maps, torch.tensor(DEFAULT_BETA))
    points, scores, alignment, presence = (part.numpy() for part in parts)
    return CropReadings.of_parts(points, scores, alignment, presence, [maps.numpy()])


def _decoded(
    decoders: DecoderReader, output: LandmarkOutput, maps: Tensor | tuple[Tensor, ...], beta: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Points with the peaks last, scores, alignment points, presence."""
    points, scores, alignment = decoders(maps, output.heatmaps[:, ALIGNMENT], output.landmarks, output.visibility, beta)
    return points, scores, alignment, output.presence


def _unpacked(values: NDArray[np.float32], parts: Sequence[Tensor]) -> list[NDArray[np.float32]]:
    """Of all parts' values, one after the other, those of each part in its shape."""
    split = np.split(values, np.cumsum([part.numel() for part in parts])[:-1])
    return [array.reshape(part.shape) for array, part in zip(split, parts, strict=True)]


@contextmanager
def _arithmetic(tf32: bool) -> Iterator[None]:
    """How what is recorded within multiplies. By default torch rounds to tf32 in convolutions, and only there."""
    matmul = torch.backends.cuda.matmul
    before = matmul.allow_tf32, matmul.allow_fp16_reduced_precision_reduction
    matmul.allow_tf32, matmul.allow_fp16_reduced_precision_reduction = tf32, False
    try:
        with torch.backends.cudnn.flags(True, benchmark=True, benchmark_limit=_ALGORITHMS_TRIED, allow_tf32=tf32):
            yield
    finally:
        matmul.allow_tf32, matmul.allow_fp16_reduced_precision_reduction = before
