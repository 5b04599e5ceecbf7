"""The one place that wires source, estimator, pipeline, meters and recorder together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.bundled import DETECTOR, bundle_for_mediapipe, check_model, model_file, model_label
from app.decoder_display import DISPLAY_NAMES
from app.drawn_once import DrawnOnce
from app.errors import OutputError, UserError
from app.frames import PoseResult
from app.heads_offered import check_heads
from app.latest_slot import LatestSlot
from app.meters.board import MeterBoard
from app.meters.delay_measurement import DelayMeasurement
from app.meters.hold_still import HoldStill
from app.overlay import OverlayStyle
from app.pipeline import DecoderChoice, Pipeline
from app.preroll import PreRoll
from app.recorder import Recorder, RecordingAbout, RecordingSummary
from app.recording_paths import RecordingPaths
from app.sources.base import Source
from app.virtual_camera import VirtualCamera
from models.engines.choice import NO_HEATMAPS, check_mediapipe, check_names
from models.errors import DeviceError, unknown_name
from models.head_file import read_head
from models.people import MEDIAPIPE
from models.readings import DECODER_NAMES, HEATMAP_DECODERS, REGRESSION, checked_beta
from models.top_down.files import NO_REGRESSION, is_checkpoint
from models.tracking import MOST_PEOPLE

if TYPE_CHECKING:
    from models.estimators import Estimator

DEFAULT_DECODER = "debiased"


@dataclass(frozen=True, slots=True)
class NetworkChoice:
    """Which network to run where: lite, full, heavy or the path of a .task bundle or a checkpoint; device and engine as
    in `models.estimators.load_estimator`; heads are paths of .safetensors files. Raises DeviceError for a device or an
    engine that does not exist or cannot run it, BundleError for a file that does not, HeadError for a head of another.
    """

    model: str = "full"
    device: str = "auto"
    engine: str = "auto"
    heads: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # Here, and not when the network is loaded: the window would be open by then.
        check_names(self.device, self.engine)
        check_model(self.model)
        if self.engine == MEDIAPIPE and is_checkpoint(self.model):
            raise DeviceError(f"MediaPipe reads .task bundles only, not {self.model}: choose another engine.")
        check_heads(self.model, self.heads)

    @property
    def label(self) -> str:
        return model_label(self.model)

    @property
    def decoders(self) -> tuple[str, ...]:
        """The readings that there are of it."""
        if self.engine == MEDIAPIPE:
            return (MEDIAPIPE,)
        return HEATMAP_DECODERS if is_checkpoint(self.model) else DECODER_NAMES


class Session:
    """One source, followed by one network, from start to stop. Its methods may be called from any thread.

    latest: the newest result, for a view that pulls. board: the meters. pictures: the annotated pictures.
    hold_still: the measurement that looks at the results, or None; who has read its card takes it away.
    glass_to_glass: likewise, of the camera's delay.
    preroll: keeps the last seconds, or None. virtual_camera: offers the picture to other programs, or None.
    not_painted: results that a view took but never painted. listener: is given every result, on the inference thread;
    must be quick and must not raise; may be set at any time.
    """

    def __init__(
        self,
        source: Source,
        network: NetworkChoice,
        *,
        decoder: str = DEFAULT_DECODER,
        beta: float = 10.0,
        most_people: int = 1,
        wait_for_model: bool = False,
        on_result: Callable[[PoseResult], None] | None = None,
    ) -> None:
        self.source = source
        self._network = self._wanted = network
        self.board = MeterBoard()
        self.pictures = DrawnOnce(self.board.readings)
        self.latest: LatestSlot[PoseResult] = LatestSlot()
        self.hold_still: HoldStill | None = None
        self.glass_to_glass: DelayMeasurement | None = None
        self.not_painted = 0
        self.listener: Callable[[PoseResult], None] | None = None
        self.preroll: PreRoll | None = None
        self.virtual_camera: VirtualCamera | None = None
        self._wants_reference = False
        self._reference_model: str | None = None
        self._reference_lock = threading.Lock()
        self._recorder: Recorder | None = None
        self._last_recording: RecordingSummary | None = None
        self._recorder_lock = threading.Lock()
        consumers = [self.board.add, self._measure, self._tell_listener, self.latest.put, self._record]
        if on_result is not None:
            consumers.append(on_result)
        self.pipeline = Pipeline(
            source,
            lambda: self._load_estimator(network),
            consumers,
            DecoderChoice(checked_decoder(decoder), checked_beta(beta)),
            network=network.label,
            wait_for_model=wait_for_model,
        )
        self.most_people = most_people

    def _load_estimator(self, network: NetworkChoice) -> Estimator:
        # Here, on the loading thread, and not at the top: torch takes seconds to import.
        from models.estimators import load_estimator

        path, sha256 = model_file(network.model)
        heads = [] if network.engine == MEDIAPIPE else [read_head(Path(head)) for head in network.heads]
        estimator = load_estimator(path, network.device, sha256, network.engine, DETECTOR, heads)
        self._network = network
        self._update_reference()
        return estimator

    @property
    def network(self) -> NetworkChoice:
        """The network in use, or the first that is being loaded."""
        return self._network

    @property
    def wanted_network(self) -> NetworkChoice:
        """The network that is being loaded, or else the one in use."""
        return self._wanted if self.pipeline.networks.pending else self._network

    def use_network(self, network: NetworkChoice) -> None:
        """Read with another network as soon as it is loaded; where it cannot be, with the present one as before."""
        self._wanted = network
        self.pipeline.use_network(lambda: self._load_estimator(network), network.label)

    @property
    def head_choice(self) -> str:
        """Whose maps the decoders read from the next frame on, see `models.head_file.LoadedHeads`."""
        return self.pipeline.head_choice

    @head_choice.setter
    def head_choice(self, choice: str) -> None:
        self.pipeline.head_choice = choice

    @property
    def has_decoders(self) -> bool:
        """Whether decoders read heatmaps here; False where MediaPipe is the engine, which gives none."""
        return self._network.engine != MEDIAPIPE

    @property
    def decoders(self) -> tuple[str, ...]:
        """The readings that there are of the network in use."""
        return self._network.decoders

    def compare_with_reference(self, wanted: bool) -> None:
        """Read frames with MediaPipe too, on the same bundle (on `full` where a checkpoint is in use), or no longer;
        `pipeline.reference` tells how it goes.

        Where MediaPipe is the engine itself there is nothing to compare with. Raises DeviceError where it is missing.
        """
        if wanted:
            check_mediapipe()
        self._wants_reference = wanted
        self._update_reference()

    def _update_reference(self) -> None:
        with self._reference_lock:
            wanted = self._wants_reference and self.has_decoders
            model = bundle_for_mediapipe(self._network.model) if wanted else None
            if model != self._reference_model:
                self._reference_model = model
                self.pipeline.reference.use(None if model is None else partial(_load_reference, model))

    def start(self) -> None:
        self.pipeline.start()

    def stop(self) -> RecordingSummary | None:
        """End all threads; a running recording is finished and its summary returned."""
        self.pipeline.stop()
        self.pipeline.join()
        self.keep_last(0.0)
        self.set_virtual_camera(None)
        return self.stop_recording()

    @property
    def device_label(self) -> str:
        """For example "cpu"; empty while the network is being loaded."""
        return self.pipeline.estimator.device_label if self.pipeline.estimator else ""

    @property
    def warning(self) -> str | None:
        """Why the device is not the one that was asked for, or None."""
        return self.pipeline.estimator.warning if self.pipeline.estimator else None

    @property
    def choice(self) -> DecoderChoice:
        """The decoder in use and its beta: where the network does not have the one that was asked for, the first that
        it has; where MediaPipe is the engine, that.
        """
        choice = self.pipeline.choice
        return choice if choice.name in self.decoders else replace(choice, name=self.decoders[0])

    def set_decoder(self, name: str) -> None:
        """Show this decoder from the next frame on. Raises UserError for an unknown name."""
        self.pipeline.choice = replace(self.pipeline.choice, name=checked_decoder(name))

    def set_beta(self, beta: float) -> None:
        """Use this beta in ipr and debiased from now on. Raises UserError beyond `models.readings.BETA_LIMITS`."""
        self.pipeline.choice = replace(self.pipeline.choice, beta=checked_beta(beta))

    @property
    def most_people(self) -> int:
        """How many people are followed at most, 1 to MOST_PEOPLE. Raises UserError for another number."""
        return self.pipeline.most_people

    @most_people.setter
    def most_people(self, count: int) -> None:
        self.pipeline.most_people = checked_people(count)

    def look_at(self, person: int | None) -> None:
        """Let meters and loupe look at the person with this number; None: at the first."""
        self.pipeline.focus = person

    @property
    def paused(self) -> bool:
        return self.pipeline.paused.is_set()

    @paused.setter
    def paused(self, paused: bool) -> None:
        (self.pipeline.paused.set if paused else self.pipeline.paused.clear)()

    @property
    def recorder(self) -> Recorder | None:
        """The running recording, or None."""
        return self._recorder

    def start_recording(
        self,
        paths: RecordingPaths,
        style: OverlayStyle | None = None,
        *,
        overwrite: bool = False,
        block: bool = False,
    ) -> None:
        """Record from the next frame on. Raises OutputError where the files cannot be made.

        block: wait for the writer rather than drop a frame (for files, where nothing is live).
        """
        recorder = Recorder(
            paths,
            style=style or OverlayStyle(),
            about=self._about(),
            pictures=self.pictures,
            overwrite=overwrite,
            block=block,
            live=self.source.live,
            yields=self.source.live or self.source.paced,
        )
        with self._recorder_lock:
            # Before it starts, which holds the network up: what comes meanwhile waits, and is recorded.
            self.pipeline.loses_none = True
            try:
                recorder.start()
                self._recorder = recorder
            finally:
                self.pipeline.loses_none = self._recorder is not None

    def _about(self) -> RecordingAbout:
        return RecordingAbout(
            source=self.source.name,
            network=self.network.label,
            decoder=self.choice.name,
            dropped_before=lambda: self.pipeline.dropped,
        )

    def save_last(self, paths: RecordingPaths) -> RecordingSummary:
        """Write the last seconds to these files. Raises OutputError, also where none are kept."""
        preroll = self.preroll
        if preroll is None:
            raise OutputError("The last seconds are not kept: --preroll 0 switches that off.")
        return preroll.save(paths, self._about())

    def keep_last(self, seconds: float, style: OverlayStyle | None = None) -> None:
        """Keep the last `seconds` from now on, so that they can be saved afterwards; 0 keeps nothing."""
        preroll, self.preroll = self.preroll, None
        if preroll is not None:
            preroll.stop()
        if seconds > 0:
            preroll = PreRoll(seconds, style=style or OverlayStyle(), pictures=self.pictures)
            preroll.start()
            self.preroll = preroll

    def set_virtual_camera(self, style: OverlayStyle | None) -> None:
        """Offer the annotated picture to other programs as a camera, or no longer. Raises OutputError."""
        camera, self.virtual_camera = self.virtual_camera, None
        if camera is not None:
            camera.stop()
        if style is not None:
            camera = VirtualCamera(self.pictures, style)
            camera.start()
            self.virtual_camera = camera

    def set_recorded_style(self, style: OverlayStyle) -> None:
        """Annotate whatever is recorded, kept or offered like this from now on."""
        for taker in (self._recorder, self.preroll, self.virtual_camera):
            if taker is not None:
                taker.style = style

    def stop_recording(self) -> RecordingSummary | None:
        """Finish the files; None where nothing was being recorded."""
        with self._recorder_lock:
            recorder, self._recorder = self._recorder, None
            self.pipeline.loses_none = False
        if recorder is None:
            return None
        self._last_recording = recorder.stop()
        return self._last_recording

    @property
    def dropped(self) -> dict[str, int]:
        """Frames dropped since the start, by the place: before the network, before the paint, in the recording."""
        recording = self._recorder or self._last_recording
        return {
            "before the network": self.pipeline.dropped,
            "before the paint": self.latest.replaced + self.not_painted,
            "in the recording": recording.dropped if recording is not None else 0,
        }

    def start_hold_still(self) -> None:
        """Count down, then measure jitter and bias of every decoder for some seconds."""
        self.hold_still = HoldStill(self.source.name)

    def _measure(self, result: PoseResult) -> None:
        still, delay = self.hold_still, self.glass_to_glass
        # Frames that came before the network was there are no part of the countdown.
        if still is not None and result.stages is not None:
            still.add(result)
        if delay is not None:
            delay.add(result)

    def _tell_listener(self, result: PoseResult) -> None:
        listener = self.listener
        if listener is not None:
            listener(result)

    def _record(self, result: PoseResult) -> None:
        for taker in (self._recorder, self.preroll, self.virtual_camera):
            if taker is not None:
                taker.offer(result)


def checked_people(count: int) -> int:
    """`count`, or UserError where so many cannot be followed."""
    if not 1 <= count <= MOST_PEOPLE:
        raise UserError(f"--people must be from 1 to {MOST_PEOPLE}, not {count}.")
    return count


def chosen_decoder(asked: str | None, engine: str, model: str = "full") -> str:
    """What the command line asks for, or the default. Raises UserError for an unknown one, where MediaPipe is the
    engine, for which there are none, and for the regression of a network that has none.
    """
    if asked is not None and engine == MEDIAPIPE:
        raise UserError(f"{NO_HEATMAPS} Leave --decoder out.")
    if asked == REGRESSION and is_checkpoint(model):
        raise UserError(f"{NO_REGRESSION} Choose another decoder.")
    return checked_decoder(DEFAULT_DECODER if asked is None else asked)


def _load_reference(model: str) -> Estimator:
    from models.estimators import load_estimator

    path, sha256 = model_file(model)
    return load_estimator(path, "cpu", sha256, MEDIAPIPE)


def checked_decoder(name: str) -> str:
    """`name`, or UserError with the nearest known one."""
    if name not in DISPLAY_NAMES:
        raise UserError(unknown_name("decoder", name, DISPLAY_NAMES))
    return name
