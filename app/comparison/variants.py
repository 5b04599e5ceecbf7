"""A decoder with its options, as a user names it and as reports call it: `debiased:beta=5:floor=0.1`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray

from app.decoder_display import DISPLAY_NAMES, decoder_color, display_title
from app.errors import UserError
from models.decoders import DECODERS, Debiased, Decoder, get_decoder, has_beta, prepare
from models.errors import unknown_name
from models.readings import DECODER_NAMES, REGRESSION, checked_beta
from models.top_down.files import NO_REGRESSION, is_checkpoint

# The form of the paper, which is not the one that PoseScope uses by default.
PLAIN = "debiased-plain"
_SWITCH = {"on": True, "off": False}
# Maps read at once: few enough to stay in the processor's cache, which more than halves the time.
_MAPS_AT_ONCE = 33


@dataclass(frozen=True, slots=True)
class Variant:
    """A decoder and its options; None where it has no such option, or where the decoder's default is meant."""

    decoder: str
    beta: float | None = None
    normalize: bool | None = None
    floor: float | None = None

    def build(self) -> Decoder:
        """The decoder. Raises UserError for an option that it has not, or a bad value; `regression` has none."""
        options = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "decoder"}
        return get_decoder(self.decoder, **{name: value for name, value in options.items() if value is not None})

    @property
    def form(self) -> tuple[str, bool | None, float | None]:
        """The variant without its beta."""
        return self.decoder, self.normalize, self.floor

    @property
    def reads_heatmaps(self) -> bool:
        """False for the network's own regression."""
        return self.decoder != REGRESSION

    @property
    def key(self) -> str:
        """For files: what `parse_variants` takes, with every option that was named."""
        parts = [self.decoder]
        if self.beta is not None:
            parts.append(f"beta={self.beta:g}")
        if self.normalize is not None:
            parts.append(f"normalize={'on' if self.normalize else 'off'}")
        if self.floor is not None:
            parts.append(f"floor={self.floor:g}")
        return ":".join(parts)

    @property
    def title(self) -> str:
        """For people: `Debiased IPR, paper's form, β 10`."""
        parts = [display_title(self.decoder)]
        if (self.normalize, self.floor) == (False, 0.0):
            parts.append("paper’s form")
        else:
            if self.normalize is not None and self.normalize != Debiased.normalize:
                parts.append("normalized" if self.normalize else "not normalized")
            if self.floor is not None and self.floor != Debiased.floor:
                parts.append(f"floor {self.floor:g}")
        if self.beta is not None:
            parts.append(f"β {self.beta:g}")
        return ", ".join(parts)

    @property
    def color(self) -> str:
        """The decoder's colour as `#rrggbb`."""
        return decoder_color(self.decoder)


def parse_variants(text: str, betas: Sequence[float]) -> tuple[Variant, ...]:
    """`all`, or decoders with commas between them, each with options behind colons.

    Options are those of `models.decoders`: beta, normalize (on or off), floor. `debiased-plain` is the paper's form.
    A decoder that has a beta and names none comes once with each of `betas`.
    Raises UserError for an unknown decoder or option, a bad value, or nothing at all.
    """
    checked = [checked_beta(beta) for beta in betas]
    names = [*DECODER_NAMES, PLAIN] if text.strip() == "all" else [part.strip() for part in text.split(",")]
    found: list[Variant] = []
    for spec in names:
        variant = _parsed(spec)
        takes_beta = variant.reads_heatmaps and variant.beta is None and has_beta(variant.decoder)
        found += [Variant(variant.decoder, beta, *variant.form[1:]) for beta in checked] if takes_beta else [variant]
    return tuple(dict.fromkeys(found))


def readable_variants(variants: tuple[Variant, ...], asked: str, model: str) -> tuple[Variant, ...]:
    """Those of `variants` that this network has. asked: what they were parsed from: `all` means all of these.

    Raises UserError where the regression was asked for by name and there is none.
    """
    if not is_checkpoint(model):
        return variants
    readable = tuple(variant for variant in variants if variant.reads_heatmaps)
    if len(readable) < len(variants) and asked.strip() != "all":
        raise UserError(f"{NO_REGRESSION} Leave regression out of --decoders.")
    return readable


def _parsed(spec: str) -> Variant:
    if not spec:
        raise UserError("The list of decoders has an empty place in it.")
    name, *options = spec.split(":")
    if name not in (*DECODER_NAMES, PLAIN):
        raise UserError(unknown_name("decoder", name, (*DISPLAY_NAMES, PLAIN)))
    values: dict[str, float | bool] = {"normalize": False, "floor": 0.0} if name == PLAIN else {}
    decoder = "debiased" if name == PLAIN else name
    known = [field.name for field in fields(DECODERS[decoder])] if decoder in DECODERS else []  # type: ignore[arg-type]
    known = [option for option in known if option in Variant.__dataclass_fields__]
    for option in options:
        key, _, value = option.partition("=")
        if key not in known:
            raise UserError(f"The decoder {decoder} has no option “{key}” here. It has: {', '.join(known) or 'none'}.")
        values[key] = _value(key, value)
    variant = Variant(decoder, **values)  # type: ignore[arg-type]
    if variant.beta is not None:
        checked_beta(variant.beta)
    if variant.reads_heatmaps:
        variant.build()
    return variant


def _value(key: str, text: str) -> float | bool:
    if key == "normalize":
        if text not in _SWITCH:
            raise UserError(f"normalize is on or off, not “{text}”.")
        return _SWITCH[text]
    try:
        return float(text)
    except ValueError:
        raise UserError(f"{key} is a number, not “{text}”.") from None


@torch.inference_mode()
def read_variants(
    heatmaps: NDArray[np.float32], regression: NDArray[np.float32], variants: Sequence[Variant]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read N people's heatmaps (N, K, H, W) with every variant; `regression` (N, K, 2), in shares of the crop.

    Returns points (N, V, K, 2) float32, x and y as shares of the crop, and peaks (N, K): each map's maximum.
    Cell c stands for c / W of the crop's width, and c / H of its height.
    """
    count, joints, height, width = heatmaps.shape
    size = torch.tensor([width, height])
    decoders = [variant.build() if variant.reads_heatmaps else None for variant in variants]
    points = np.empty((count * joints, len(variants), 2), np.float32)
    peaks = np.empty(count * joints, np.float32)
    maps = torch.from_numpy(np.ascontiguousarray(heatmaps)).flatten(0, 1)[:, None]
    for start in range(0, len(maps), _MAPS_AT_ONCE):
        prepared = prepare(maps[start : start + _MAPS_AT_ONCE])
        here = slice(start, start + _MAPS_AT_ONCE)
        peaks[here] = prepared.peak[:, 0].numpy()
        for i, decoder in enumerate(decoders):
            if decoder is not None:
                points[here, i] = (decoder.read(prepared).points[:, 0] / size).numpy()
    shares = points.reshape(count, joints, len(variants), 2).swapaxes(1, 2)
    for i, variant in enumerate(variants):
        if not variant.reads_heatmaps:
            shares[:, i] = regression
    return shares, peaks.reshape(count, joints)
