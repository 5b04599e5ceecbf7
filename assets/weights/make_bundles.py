"""Make the three pose_landmarker_*.task bundles from publicly packaged networks.

This is the recipe behind the files beside it; the application never runs it. It needs a throw-away
environment, because the metadata writer was dropped from later mediapipe releases:

    python3.11 -m venv recipe && recipe/bin/pip install mediapipe==0.10.21
    npm pack @mediapipe/pose@0.5.1675469404 && tar xzf mediapipe-pose-0.5.1675469404.tgz
    recipe/bin/python make_bundles.py package OUTPUT_FOLDER

`package` is the folder that tar made. The result is the same byte for byte on every run: members are
stored (not compressed) with a fixed date. sha256 of each is listed in ../README.md.
"""

import hashlib
import sys
import zipfile
from pathlib import Path

import mediapipe
from mediapipe.tasks.python.metadata.metadata_writers.metadata_writer import MetadataWriter

FIXED_DATE = (1980, 1, 1, 0, 0, 0)


def with_normalization(model: bytes, mean: float, std: float) -> bytes:
    """The .tflite `model` with NormalizationOptions, so that MediaPipe scales pixels to (x - mean) / std."""
    writer = MetadataWriter.create(bytearray(model))
    writer.add_image_input([mean], [std])
    content, _ = writer.populate()
    return bytes(content)


def write_bundle(path: Path, detector: bytes, landmarks: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as bundle:
        for name, content in (
            ("pose_detector.tflite", detector),
            ("pose_landmarks_detector.tflite", landmarks),
        ):
            bundle.writestr(zipfile.ZipInfo(name, FIXED_DATE), content)


def main(npm_package: Path, output: Path) -> None:
    modules = Path(mediapipe.__file__).parent / "modules"
    detector = (modules / "pose_detection" / "pose_detection.tflite").read_bytes()
    full_from_wheel = (modules / "pose_landmark" / "pose_landmark_full.tflite").read_bytes()
    if full_from_wheel != (npm_package / "pose_landmark_full.tflite").read_bytes():
        sys.exit("The two publications of pose_landmark_full.tflite differ: do not mix them.")
    detector = with_normalization(detector, 127.5, 127.5)
    output.mkdir(parents=True, exist_ok=True)
    for size in ("lite", "full", "heavy"):
        landmarks = (npm_package / f"pose_landmark_{size}.tflite").read_bytes()
        path = output / f"pose_landmarker_{size}.task"
        write_bundle(path, detector, with_normalization(landmarks, 0.0, 255.0))
        print(hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size, path.name)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
