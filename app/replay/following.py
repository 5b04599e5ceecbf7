"""One pass through a clip: the person is followed, and every variant reads the same heatmaps."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import closing

from app.comparison.variants import Variant, read_variants
from app.errors import UserError
from app.frames import Frame
from app.replay.tracks import Seen, Tracks, joined
from app.sources.base import Source
from models.estimator import PoseEstimator

_READ_AHEAD = 4
_POLL_S = 0.1


def follow(
    source: Source,
    estimator: PoseEstimator,
    variants: Sequence[Variant],
    most: int | None,
    on_frame: Callable[[Frame, Seen], object],
) -> Tracks:
    """Follow the person through the source as the app does; the crops depend on no decoder.

    most: frames, None for all. on_frame: called after each frame. Raises SourceError, and UserError where nobody is
    seen, or the size of the picture changes.
    """
    found: list[Seen] = []
    size = (0, 0)
    with closing(_frames(source, most)) as frames:
        for frame in frames:
            height, width = frame.image.shape[:2]
            size = size if found else (width, height)
            if size != (width, height):
                raise UserError(
                    f"The pictures of {source.name} have several sizes, {size[0]} × {size[1]} and {width} × {height}: "
                    "distances in pixels could not be compared."
                )
            found.append(_seen(frame, estimator, variants))
            on_frame(frame, found[-1])
    if not any(one.person is not None for one in found):
        raise UserError(f"Nobody was seen in {source.name}.")
    return joined(variants, found, size)


def _seen(frame: Frame, estimator: PoseEstimator, variants: Sequence[Variant]) -> Seen:
    if not frame.continues:
        estimator.reset()
    people = estimator.estimate(frame.image, keep_heatmaps=True).people
    if not people:
        return Seen(frame.index, frame.time_ns, frame.continues, None, None)
    person = people[0]
    assert person.heatmaps is not None
    regression = person.region.to_crop(person.own_points).astype("float32")
    shares, _ = read_variants(person.heatmaps[None], regression[None], variants)
    return Seen(frame.index, frame.time_ns, frame.continues, person, person.region.to_image(shares[0]))


def _frames(source: Source, most: int | None) -> Generator[Frame, None, None]:
    """Decoded ahead on a thread of their own. Raises SourceError."""
    coming: queue.Queue[Frame | UserError | None] = queue.Queue(_READ_AHEAD)
    stopped = threading.Event()

    def put(item: Frame | UserError | None) -> None:
        while not stopped.is_set():
            try:
                coming.put(item, timeout=_POLL_S)
                return
            except queue.Full:
                continue

    def read() -> None:
        count = 0
        try:
            source.open()
            while not stopped.is_set() and (most is None or count < most):
                frame = source.read()
                if frame is None:
                    break
                put(frame)
                count += 1
            put(None)
        except UserError as error:
            put(error)
        except Exception as error:
            put(UserError(f"Internal error: {type(error).__name__}: {error}"))
            raise
        finally:
            source.close()

    reader = threading.Thread(target=read, name="replay-read", daemon=True)
    reader.start()
    try:
        while (item := coming.get()) is not None:
            if isinstance(item, UserError):
                raise item
            yield item
    finally:
        stopped.set()
        source.stop()
        reader.join()
