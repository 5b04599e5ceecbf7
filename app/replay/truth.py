"""Where the joints of the person in a clip really are: a truth file, checked at the boundary.

The form is that of the shipped `assets/rendered_person_truth.json`, a JSON object:

- `names`: joint names as in BLAZEPOSE_33 (COCO's 17 are among them); others are left out, and said.
- `frames`: a list with an object for each frame of the clip, from the first on: `kp`, [x, y] in px for each name, and
  `vis`, for each name 0 outside, 1 hidden, 2 seen. null where a place is not known.
- optional, to find out that it belongs to another clip: `width`, `height` in px; `fps`, or in each frame `t`, its time
  in s. (Times that are measured with come from the clip.)
- optional: `segments`, name → [first frame, frame after the last]; `convention`, text that begins with “pixel centres
  at +0.5” (0 is the left edge of the left column, also where nothing is said) or with “pixel centres at 0”.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import UserError
from models.skeletons import BLAZEPOSE_33

SEEN = 2
EDGES, CENTRES = "pixel centres at +0.5", "pixel centres at 0"


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """joints: (T, K, 2) px, joints as in BLAZEPOSE_33, whole numbers at the centres of pixels, NaN where not known.

    seen: (T, K) whether the joint can be seen. seconds: (T,) since the first frame, where the file says so. size: width
    and height of the clip in px, where the file says so. left_out: names that are no joints of BlazePose.
    """

    joints: NDArray[np.float64]
    seen: NDArray[np.bool_]
    seconds: NDArray[np.float64] | None = None
    segments: Mapping[str, range] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    left_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.joints)

    def check_size(self, width: int, height: int) -> None:
        """UserError where the clip has another size than the one the truth was made for."""
        if self.size is not None and self.size != (width, height):
            raise UserError(
                f"The truth is for {self.size[0]} × {self.size[1]} pixels, but the clip has {width} × {height}."
            )

    def check_length(self, frames: int, *, most: bool = False) -> None:
        """UserError where the clip has another number of frames; most: it may have fewer, the rest was not read."""
        if len(self) != frames and not (most and len(self) > frames):
            raise UserError(f"The truth has {len(self)} frames, but the clip has {frames}.")

    def check_times(self, seconds: NDArray[np.float64]) -> None:
        """UserError where the clip's frames, (T,) s from the first on, come at other times by a frame or more."""
        if self.seconds is None or len(seconds) < 2:
            return
        off = np.abs(self.seconds[: len(seconds)] - seconds)
        worst = int(off.argmax())
        if off[worst] > np.median(np.diff(seconds)):
            raise UserError(
                f"The truth has frame {worst} at {self.seconds[worst]:.2f} s, but the clip has it at "
                f"{seconds[worst]:.2f} s: they do not belong together."
            )

    def cut(self, frames: int) -> Truth:
        """The truth of the first `frames` frames."""
        segments = {name: range(s.start, min(s.stop, frames)) for name, s in self.segments.items() if s.start < frames}
        seconds = None if self.seconds is None else self.seconds[:frames]
        return replace(self, joints=self.joints[:frames], seen=self.seen[:frames], seconds=seconds, segments=segments)


def read_truth(path: Path) -> Truth:
    """Raises UserError with one sentence where the file cannot be read or is not of the form above."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UserError(f"Cannot read the truth {path}: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise UserError(f"The truth {path.name} is not JSON.") from None
    return parse_truth(content, path.name)


def parse_truth(content: Any, name: str) -> Truth:
    """The truth in what was JSON; `name` is how it is called in the sentence of a UserError."""
    if not isinstance(content, dict):
        raise UserError(f"The truth {name} is not a JSON object.")
    names, frames = content.get("names"), content.get("frames")
    if not isinstance(names, list) or not names or not all(isinstance(joint, str) for joint in names):
        raise UserError(f"The truth {name} has no “names”: a list of joint names.")
    if not isinstance(frames, list) or not frames:
        raise UserError(f"The truth {name} has no “frames”: a list with an object for each frame.")
    known = {
        i: BLAZEPOSE_33.index[_normal(joint)] for i, joint in enumerate(names) if _normal(joint) in BLAZEPOSE_33.index
    }
    if not known:
        raise UserError(f"The truth {name} names no joint of BlazePose, for example left_wrist.")
    if len(set(known.values())) < len(known):
        raise UserError(f"The truth {name} names a joint twice.")
    points, vis = _numbers(frames, names, name)
    joints = np.full((len(frames), len(BLAZEPOSE_33.joints), 2), np.nan)
    seen = np.zeros(joints.shape[:2], np.bool_)
    joints[:, list(known.values())] = points[:, list(known)] - _offset(content, name)
    seen[:, list(known.values())] = vis[:, list(known)] == SEEN
    return Truth(
        joints=joints,
        seen=seen & np.isfinite(joints).all(-1),
        seconds=_seconds(content, frames, name),
        segments=_segments(content, len(frames), name),
        size=_size(content, name),
        left_out=tuple(joint for i, joint in enumerate(names) if i not in known),
    )


def _normal(joint: str) -> str:
    return "_".join(joint.strip().lower().replace("-", " ").replace("_", " ").split())


def _numbers(frames: list[Any], names: list[str], name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    for i, frame in enumerate(frames):
        for key in ("kp", "vis"):
            if not isinstance(frame, dict) or not isinstance(frame.get(key), list) or len(frame[key]) != len(names):
                raise UserError(f"Frame {i} of the truth {name} has no “{key}” with {len(names)} places, one a name.")
    try:
        points = np.array(
            [[(math.nan, math.nan) if place is None else place for place in frame["kp"]] for frame in frames],
            np.float64,
        )
        vis = np.array([[0 if v is None else v for v in frame["vis"]] for frame in frames], np.float64)
    except (TypeError, ValueError, OverflowError):
        points, vis = np.zeros(0), np.zeros(0)
    if points.shape != (len(frames), len(names), 2) or vis.shape != (len(frames), len(names)):
        raise UserError(f"The truth {name} has a “kp” that is not [x, y], or a “vis” that is not a number.")
    return points, vis


def _offset(content: dict[str, Any], name: str) -> float:
    convention = content.get("convention", EDGES)
    if isinstance(convention, str):
        for beginning, offset in ((EDGES, 0.5), (CENTRES, 0.0)):
            if convention.lower().startswith(beginning):
                return offset
    raise UserError(f"The “convention” of the truth {name} has to begin with “{EDGES}” or “{CENTRES}”.")


def _seconds(content: dict[str, Any], frames: list[Any], name: str) -> NDArray[np.float64] | None:
    fps = content.get("fps")
    if fps is not None:
        if not _is_number(fps) or not 0 < fps < math.inf:
            raise UserError(f"The “fps” of the truth {name} is a number above 0, not {json.dumps(fps)[:40]}.")
        return np.asarray(np.arange(len(frames)) / fps, np.float64)
    if all("t" not in frame for frame in frames):
        return None
    times = [frame.get("t") for frame in frames]
    if not all(_is_number(t) and math.isfinite(t) for t in times) or (np.diff(times) <= 0).any():
        raise UserError(f"The truth {name} has a “t” that does not rise from frame to frame.")
    return np.asarray(np.array(times) - times[0], np.float64)


def _segments(content: dict[str, Any], frames: int, name: str) -> dict[str, range]:
    segments = content.get("segments", {})
    if not isinstance(segments, dict):
        raise UserError(f"The “segments” of the truth {name} are not an object of names.")
    found = {}
    for segment, ends in segments.items():
        if not (isinstance(ends, list) and len(ends) == 2 and all(type(end) is int for end in ends)) or not (
            0 <= ends[0] < ends[1] <= frames
        ):
            raise UserError(f"Segment “{segment}” of the truth {name} is not [first, end] within 0 to {frames}.")
        found[segment] = range(*ends)
    return found


def _size(content: dict[str, Any], name: str) -> tuple[int, int] | None:
    size = content.get("width"), content.get("height")
    if size == (None, None):
        return None
    if not all(type(side) is int and side > 0 for side in size):
        raise UserError(f"“width” and “height” of the truth {name} are whole numbers of pixels.")
    return size  # type: ignore[return-value]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
