"""Keypoints of the chosen decoder as OpenPose writes them: a folder with a JSON file for each frame."""

from __future__ import annotations

import contextlib
import json
import os
import re
from array import array
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import OutputError
from app.exporters.file_exporter import keypoint_table
from app.frames import PoseResult
from models.skeletons import BODY_25_FROM_BLAZEPOSE

SUFFIX = ".openpose"
# Under this name a file is written before it gets its own, so that no reader ever sees half a file.
_UNFINISHED = ".unfinished"
# What OpenPose 1.7 writes beside the points, without the flags for faces, hands and 3-D.
_NOT_READ = (
    "face_keypoints_2d",
    "hand_left_keypoints_2d",
    "hand_right_keypoints_2d",
    "pose_keypoints_3d",
    "face_keypoints_3d",
    "hand_left_keypoints_3d",
    "hand_right_keypoints_3d",
)


class OpenPoseFolder:
    """Writes results to a folder as they come: one JSON file for each frame, also where nobody is in it.

    Names: STEM_000000000042_keypoints.json for the frame with index 42 in its source. STEM is the folder's name without
    “.openpose”.

    version: 1.3. people: for each person
    person_id: a list with the id, which stays the same while the person is followed.
    pose_keypoints_2d: x, y and score of the 25 joints of BODY_25, one after the other, 75 numbers; x and y in pixels of
        the source image, where (0, 0) is the centre of the top left pixel; as read by the chosen decoder, never
        smoothed. Neck and mid-hip are the means of both shoulders and hips, with the lower of the two scores; a big toe
        is BlazePose's foot index; small toes, and joints that are not known, are 0, 0, 0.
    The lists of faces, hands and 3-D points are empty.

    A file appears whole or not at all. Raises OutputError where the folder cannot be made, or exists and is not empty
    while `overwrite` is false. overwrite: files of this STEM go when the first frame is written, others stay.
    """

    def __init__(self, path: Path | str, *, overwrite: bool = False) -> None:
        self._path = Path(path)
        self._stem = self._path.name.removesuffix(SUFFIX) or "posescope"
        self._failure = ""
        self._written = array("Q")  # eight bytes for each frame
        check_folder(self._path, overwrite=overwrite)
        self._made = not self._path.exists()
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            self._write(_UNFINISHED, b"")  # whether it can be written to
            (self._path / _UNFINISHED).unlink()
        except OSError as error:
            self.discard()
            raise self._error(error) from None

    @property
    def path(self) -> Path:
        return self._path

    def write(self, result: PoseResult) -> None:
        """Add the file of this frame. OutputError where that is not possible."""
        if self._failure:
            raise OutputError(self._failure)
        data = json.dumps(
            {
                "version": 1.3,
                "people": [
                    {
                        "person_id": [person.id],
                        "pose_keypoints_2d": _numbers(keypoint_table(person, (result.decoder,))[0]),
                        **{name: [] for name in _NOT_READ},
                    }
                    for person in result.people
                ],
            },
            separators=(",", ":"),
        )
        try:
            if not self._written:
                self._remove_earlier()
            self._write(_UNFINISHED, data.encode(errors="replace"))
            os.replace(self._path / _UNFINISHED, self._path / self._name(result.frame.index))
        except OSError as error:
            with contextlib.suppress(OSError):
                (self._path / _UNFINISHED).unlink()
            raise self._error(error) from None
        self._written.append(result.frame.index)

    def check_still_there(self) -> None:
        """OutputError where the folder was deleted while it is written."""
        if not self._failure and not self._path.is_dir():
            self._failure = f"Cannot go on writing {self._path}: it was deleted."
            raise OutputError(self._failure)

    def close(self) -> None:
        """Nothing is open between two frames."""

    def discard(self) -> None:
        """Delete the files written here, and the folder if it was made here and is empty then."""
        for name in (_UNFINISHED, *map(self._name, self._written)):
            with contextlib.suppress(OSError):
                (self._path / name).unlink()
        if self._made:
            with contextlib.suppress(OSError):
                self._path.rmdir()

    def _name(self, index: int) -> str:
        return f"{self._stem}_{index:012d}_keypoints.json"

    def _write(self, name: str, data: bytes) -> None:
        with (self._path / name).open("wb") as file:
            file.write(data)

    def _remove_earlier(self) -> None:
        name = re.compile(re.escape(self._stem) + r"_\d{12}_keypoints\.json")
        for path in self._path.iterdir():
            if name.fullmatch(path.name):
                path.unlink()

    def _error(self, error: OSError) -> OutputError:
        self._failure = f"Cannot write {self._path}: {error.strerror or error}."
        return OutputError(self._failure)


def check_folder(path: Path, source: str = "", *, overwrite: bool) -> None:
    """Whether frames can be written into a folder of this name. Raises OutputError.

    source: what is read, which must not be written into.
    """
    try:
        if not path.exists():
            return
        if not path.is_dir():
            raise OutputError(f"{path} is a file, not a folder to write to.")
        if source and Path(source).is_dir() and path.samefile(source):
            raise OutputError(f"{path} is the source: choose another folder for the output.")
        if not overwrite and any(path.iterdir()):
            raise OutputError(f"{path} is not empty: choose another folder, or say --overwrite.")
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror}.") from None


def _numbers(points: NDArray[np.float64]) -> list[float]:
    """(33, 3) of BlazePose -> 75 numbers of BODY_25."""
    numbers: list[float] = []
    for parts in BODY_25_FROM_BLAZEPOSE:
        known = points[list(parts)]
        if len(known) == 0 or np.isnan(known).any():
            numbers += (0.0, 0.0, 0.0)
        else:
            x, y = known[:, :2].mean(axis=0)
            numbers += (round(float(x), 3), round(float(y), 3), round(float(known[:, 2].min()), 4))
    return numbers
