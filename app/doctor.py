"""`posescope doctor`: what is installed, what computes, what records."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator

from app import __version__
from app.errors import OutputError, UserError

_PACKAGES = ("torch", "numpy", "av", "tflite", "PySide6-Essentials", "pyqtgraph", "mediapipe", "openvino")
_CV2_PROVIDERS = (
    "opencv-python",
    "opencv-contrib-python",
    "opencv-python-headless",
    "opencv-contrib-python-headless",
)
_ENCODERS = ("h264_nvenc", "h264_videotoolbox", "h264_qsv", "h264_amf", "libx264", "h264_mf", "libopenh264")


def report() -> None:
    """Print one line for each fact; lines with a remedy begin with an exclamation mark."""
    for section in (_versions, _opencv, _devices, _engines, _encoders, _cameras, _qt):
        for line in section():
            print(line)


def _installed(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _versions() -> Iterator[str]:
    yield f"PoseScope {__version__}, Python {platform.python_version()}, {platform.platform()}"
    yield "Packages: " + ", ".join(f"{name} {_installed(name) or '(not installed)'}" for name in _PACKAGES)


def _opencv() -> Iterator[str]:
    found = [f"{name} {version}" for name in _CV2_PROVIDERS if (version := _installed(name))]
    yield f"OpenCV from: {', '.join(found) or 'no known package'}"
    if len(found) > 1:
        yield (
            "! More than one package provides cv2 and they overwrite each other. Remedy: uninstall them all, then "
            "install opencv-contrib-python."
        )


def _devices() -> Iterator[str]:
    import torch

    from models.devices import choose_device, why_not

    for name in ("cuda", "mps", "cpu"):
        reason = why_not(name)
        yield f"Device {name}: not usable, {reason}" if reason else f"Device {choose_device(name).label}: usable"
    yield f"--device auto takes: {choose_device('auto').label}"
    yield f"Threads of torch on the CPU: {torch.get_num_threads()} of {os.cpu_count()} cores"


def _engines() -> Iterator[str]:
    from app.bundled import model_file
    from models.engines.choice import open_engine

    try:
        # Not only imported: whether it can run these networks is seen when it does.
        path, sha256 = model_file("lite")
        engine = open_engine(path, "cpu", sha256)
    except UserError as error:
        yield f"! The lite network cannot be opened: {error}"
        return
    yield f"Engine on the CPU: {engine.label}"
    if engine.warning:
        yield f"! {engine.warning} Remedy: python -m pip install -U openvino"


def _encoders() -> Iterator[str]:
    import av.codec

    from app.mp4_writer import working_encoder

    present = [name for name in _ENCODERS if name in av.codec.codecs_available]
    yield f"H.264 encoders in PyAV: {', '.join(present) or 'none'} (hardware ones need their hardware too)"
    try:
        yield f"Recordings are encoded by: {working_encoder()}, the first of them that works here"
    except OutputError:
        yield "! No video encoder works here. Remedy: reinstall the `av` wheel from PyPI."


def _cameras() -> Iterator[str]:
    from app.sources.camera import list_cameras

    cameras = list_cameras()
    yield "Cameras: " + (", ".join(f"{camera.index} {camera.name}" for camera in cameras) or "none found")


def _qt() -> Iterator[str]:
    try:
        # Qt's own parts are imported on the way, and may lack a system library.
        from app.gui.qt_environment import describe_platform

        lines = list(describe_platform())
    except ImportError as error:
        yield f"! Qt cannot be loaded ({error}); `posescope run` works without it."
        return
    yield from lines
    if _installed("PySide6-Essentials") == "6.12.0" and sys.version_info < (3, 12):
        yield (
            "! PySide6 6.12.0 ends Python 3.11 within minutes (it loses references to None). Remedy: "
            "python -m pip install PySide6-Essentials==6.11.3"
        )
