"""Where the shipped files lie."""

from __future__ import annotations

import difflib
from pathlib import Path

import assets
from models.errors import BundleError
from models.top_down.files import checkpoint_place, is_checkpoint

ASSETS = Path(assets.__file__).parent
SAMPLE_CLIP = ASSETS / "rendered_person_960x540_30fps.mp4"
TRANSLATIONS = ASSETS / "translations"

ICON_SIZES = (16, 32, 48, 64, 128, 256)

# sha256 of the shipped bundles; provenance in assets/README.md.
MODELS = {
    "lite": "42c28e04caad2a5c4c547d8fcf175f9d52aa8cf2badec9d101255af1fda76835",
    "full": "563b0638542257af9ea190a4965843ea135cce1c0a6129438fde6a85444573ad",
    "heavy": "5dceb2a2df4521227a19ec8c84aa23aa550a43b4ea432367b671c7a36cc8707a",
}


def check_model(model: str) -> None:
    """BundleError with one sentence where this is neither a shipped network nor a file."""
    if model not in MODELS and not checkpoint_place(Path(model))[0].is_file():
        near = difflib.get_close_matches(model, MODELS, n=1)
        hint = f" Did you mean “{near[0]}”?" if near else ""
        raise BundleError(f"No such model file: {model}.{hint} Shipped are {', '.join(MODELS)}.")


def model_file(model: str) -> tuple[Path, str | None]:
    """Path and expected sha256 of `lite`, `full` or `heavy`; any other text is the path of a user's bundle, or of a
    checkpoint (`models.top_down.files`).
    """
    if model in MODELS:
        return ASSETS / "weights" / f"pose_landmarker_{model}.task", MODELS[model]
    return Path(model), None


# The bundle whose person detector finds people for a checkpoint, which has none. All three have the same detector.
DETECTOR = model_file("lite")


def model_label(model: str) -> str:
    """What the network is called for people: `full`, or the file's name without what follows the point."""
    return model if model in MODELS else checkpoint_place(Path(model))[0].stem.removesuffix(".pth")


def bundle_for_mediapipe(model: str) -> str:
    """What MediaPipe reads beside this network: the same bundle, or `full` where it is a checkpoint."""
    return "full" if is_checkpoint(model) else model


def icon_file(size: int | None = None) -> Path:
    """The icon as a PNG of one of ICON_SIZES, in px; None for the SVG."""
    return ASSETS / "icons" / ("posescope.svg" if size is None else f"posescope-{size}.png")
