"""From linear light to the picture of a camera: photon and read noise, demosaicing, tone curve, eight bits."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Linear = NDArray[np.float32]
_KERNEL = (3, 3)


def tone_curve(light: NDArray[np.floating]) -> NDArray[np.floating]:
    """Linear light to 0..1: a filmic curve (K. Narkowicz's fit of ACES, 2015), then gamma 2.2."""
    light = np.maximum(light, 0)
    return np.clip((light * (2.51 * light + 0.03)) / (light * (2.43 * light + 0.59) + 0.14), 0, 1) ** (1 / 2.2)


@dataclass(frozen=True)
class Sensor:
    """Variance of the noise in linear light L (1 is about white): gain · L + read².

    The noise is smeared over its neighbours as demosaicing does; scale brings most of the strength back.
    exposure: the light is multiplied by that before.
    """

    gain: float = 0.0006
    read: float = 0.0018
    exposure: float = 1.0
    smear: float = 0.6
    scale: float = 1.6
    softness: float = 0.45

    @classmethod
    def of_iso(cls, iso: float, stops: float = 0.0) -> Sensor:
        """A small sensor, equal to the default at ISO 400. stops: over- or underexposed."""
        return cls(gain=0.0006 * iso / 400, read=float(np.hypot(0.0012, 0.00134 * iso / 400)), exposure=2.0**stops)

    def variance(self, light: NDArray[np.floating]) -> NDArray[np.floating]:
        """Of the noise before it is smeared."""
        return np.asarray(self.gain * np.maximum(light, 0) + self.read * self.read)

    def picture(self, light: Linear, random: np.random.Generator) -> NDArray[np.uint8]:
        """(H, W, 3) linear RGB -> 8-bit RGB. Each call draws new noise."""
        light = light if self.exposure == 1 else light * np.float32(self.exposure)
        noise = random.standard_normal(light.shape).astype(np.float32) * np.sqrt(self.variance(light))
        noise = cv2.GaussianBlur(noise, _KERNEL, self.smear) * self.scale
        levels = tone_curve(cv2.GaussianBlur(light, _KERNEL, self.softness) + noise) * 255
        # A uniform dither, so that rounding adds no steps.
        return np.clip(np.round(levels + random.uniform(-0.5, 0.5, light.shape)), 0, 255).astype(np.uint8)
