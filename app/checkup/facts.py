"""What is installed, what computes, what records: facts for whoever helps, right or wrong."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Callable, Iterator

from app import __version__
from app.errors import OutputError, UserError

_PACKAGES = ("torch", "numpy", "av", "tflite", "PySide6-Essentials", "pyqtgraph", "mediapipe", "openvino")
_CV2_PROVIDERS = (
    "opencv-python",
    "opencv-contrib-python",
    "opencv-python-headless",
    "opencv-contrib-python-headless",
)


def all_facts() -> Iterator[str]:
    """One line for each. Imports torch and opens an engine, which takes seconds. What cannot be told says so."""
    for section in (version_facts, _devices, _engine, _encoders, _cameras):
        yield from _told(section)


def _told(section: Callable[[], Iterator[str]]) -> Iterator[str]:
    try:
        yield from section()
    except Exception as error:
        name = section.__name__.strip("_").replace("_", " ")
        yield f"({name}: not to be told, {type(error).__name__}: {error})".replace("\n", " ")


def version_facts() -> Iterator[str]:
    """PoseScope, Python, system and packages. Quick: imports none of them."""
    yield f"PoseScope {__version__}, Python {platform.python_version()}, {platform.platform()}"
    yield "Packages: " + ", ".join(f"{name} {_installed(name) or '(not installed)'}" for name in _PACKAGES)
    providers = [f"{name} {version}" for name in _CV2_PROVIDERS if (version := _installed(name))]
    yield f"OpenCV from: {', '.join(providers) or 'no known package'}"


def _installed(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _devices() -> Iterator[str]:
    import torch

    from models.devices import choose_device, why_not

    for name in ("cuda", "mps", "cpu"):
        reason = why_not(name)
        yield f"Device {name}: not usable, {reason}" if reason else f"Device {choose_device(name).label}: usable"
    yield f"--device auto takes: {choose_device('auto').label}"
    yield f"Threads of torch on the CPU: {torch.get_num_threads()} of {os.cpu_count()} cores"


def _engine() -> Iterator[str]:
    from app.bundled import model_file
    from models.engines.choice import open_engine

    try:
        # Not only imported: whether it can run these networks is seen when it does.
        path, sha256 = model_file("lite")
        engine = open_engine(path, "cpu", sha256)
    except UserError as error:
        yield f"The lite network cannot be opened: {error}"
        return
    yield f"Engine on the CPU: {engine.label}" + (f"; {engine.warning}" if engine.warning else "")


def _encoders() -> Iterator[str]:
    import av.codec

    from app.video_encoder import H264_ENCODERS, working_encoder

    present = [name for name in H264_ENCODERS if name in av.codec.codecs_available]
    yield f"H.264 encoders in PyAV: {', '.join(present) or 'none'} (hardware ones need their hardware too)"
    try:
        yield f"Recordings are encoded by: {working_encoder()}, the first of them that works here"
    except OutputError:
        yield "Recordings are encoded by: nothing, no encoder works here"


def _cameras() -> Iterator[str]:
    from app.sources.camera_list import list_cameras

    cameras = list_cameras()
    yield "Cameras: " + (", ".join(f"{camera.index} {camera.name}" for camera in cameras) or "none found")
