"""Small tensors that are made once: what is brought to a GPU anew for each frame cannot be part of a recorded graph."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor


def constant(values: tuple[float, ...], like: Tensor) -> Tensor:
    """(len(values),): these values in the type and on the device of `like`; not to be written to."""
    return _kept(values, like.dtype, like.device)


@cache
def _kept(values: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    # Not made in inference mode: then it could not take part in a gradient later.
    with torch.inference_mode(False):
        return torch.tensor(values, dtype=dtype, device=device)
