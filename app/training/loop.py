"""Trains a head, or a whole network: the same settings give the same weights, also where it was broken off."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from app.errors import OutputError, UserError
from app.training.features import FeatureStore
from app.training.losses import Objective

_FIRST_STEPS = 50  # of a learning rate that rises from nothing
_VALIDATED_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Schedule:
    """epochs: how often each view is seen. batch: views in a step. rate: Adam's learning rate, which falls to 0 along
    half a cosine. seed: of the order of the views.
    """

    epochs: int
    batch: int = 32
    rate: float = 1e-3
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Epoch:
    """What was reached. loss: the mean over the epoch's steps. mean_cells, median_cells: distance in cells from the
    truth to what the head's decoder reads, over the labelled joints of those who are held back, undisturbed.
    """

    epoch: int
    steps: int
    loss: float
    mean_cells: float
    median_cells: float
    seconds: float


@dataclass(slots=True)
class Training:
    """A module in training, which makes of what the store has the outputs (N, J, H, W), J as in the store; rows: of the
    store. as_maps: makes the heatmaps of the outputs, in [0, 1].

    checkpoint: where it is kept after each epoch, or None. settings: what the result depends on; a checkpoint of others
    is refused.
    """

    module: nn.Module
    store: FeatureStore
    objective: Objective
    schedule: Schedule
    train_rows: NDArray[np.int64]
    validation_rows: NDArray[np.int64]
    device: torch.device
    as_maps: Callable[[Tensor], Tensor] = torch.sigmoid
    checkpoint: Path | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    history: list[Epoch] = field(default_factory=list)

    def run(
        self, tell: Callable[[Epoch], None] = lambda epoch: None, step: Callable[[int, int, float], None] | None = None
    ) -> list[Epoch]:
        """Train to the end, from the checkpoint where there is one. Returns the history, the shipped weights first.

        tell: after each epoch, also after those of the checkpoint. step: after each step with the number of steps done,
        of all steps, and the loss. Raises UserError for a checkpoint of other settings.
        """
        self.module.to(self.device).train()
        optimizer = torch.optim.Adam(self.module.parameters(), lr=self.schedule.rate)
        self._resume(optimizer)
        if not self.history:
            self.history.append(Epoch(0, 0, math.nan, *self.validate(), 0.0))
        for done in self.history:
            tell(done)
        in_epoch = math.ceil(len(self.train_rows) / self.schedule.batch)
        every = in_epoch * self.schedule.epochs
        for epoch in range(len(self.history), self.schedule.epochs + 1):
            started = time.perf_counter()
            losses = []
            # The order depends on the epoch alone, so that nothing of it has to be kept.
            order = np.random.default_rng((self.schedule.seed, epoch)).permutation(self.train_rows)
            for i in range(in_epoch):
                number = (epoch - 1) * in_epoch + i
                for group in optimizer.param_groups:
                    group["lr"] = self._rate(number, every)
                losses.append(self._step(order[i * self.schedule.batch :][: self.schedule.batch], optimizer))
                if step is not None:
                    step(number + 1, every, losses[-1])
            mean, median = self.validate()
            seconds = time.perf_counter() - started
            self.history.append(Epoch(epoch, epoch * in_epoch, float(np.mean(losses)), mean, median, seconds))
            self._keep(optimizer)
            tell(self.history[-1])
        return self.history

    def _rate(self, step: int, every: int) -> float:
        rising = min(1.0, (step + 1) / _FIRST_STEPS)
        return self.schedule.rate * rising * (1 + math.cos(math.pi * step / every)) / 2

    def _step(self, rows: NDArray[np.int64], optimizer: torch.optim.Optimizer) -> float:
        # In the file's order: they are read from the disk.
        maps, points, labelled = self._maps(np.sort(rows))
        loss = self.objective.loss(maps, points, labelled)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        value = loss.item()
        if not math.isfinite(value):
            raise UserError("The training went astray: the loss is no number any more. Take a smaller learning rate.")
        return value

    def _maps(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        maps = self.as_maps(self.module(self.store.features(rows, self.device)))
        return maps, *self.store.truth(rows, (maps.shape[-2], maps.shape[-1]), self.device)

    @torch.no_grad()
    def validate(self) -> tuple[float, float]:
        """The mean and the median distance in cells, of those who are held back."""
        self.module.eval()
        far = []
        for start in range(0, len(self.validation_rows), _VALIDATED_AT_ONCE):
            maps, points, labelled = self._maps(self.validation_rows[start : start + _VALIDATED_AT_ONCE])
            read = self.objective.reader(maps).points
            far.append((read - points).norm(dim=-1)[labelled].cpu().numpy())
        self.module.train()
        distances = np.concatenate(far)
        return (float(distances.mean()), float(np.median(distances))) if len(distances) else (math.nan, math.nan)

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """The module's weights as they are now."""
        return {name: values.detach().cpu().numpy().copy() for name, values in self.module.state_dict().items()}

    def _keep(self, optimizer: torch.optim.Optimizer) -> None:
        if self.checkpoint is None:
            return
        state = {
            "settings": json.dumps(self.settings, sort_keys=True),
            "module": self.module.state_dict(),
            "optimizer": optimizer.state_dict(),
            "history": [asdict(epoch) for epoch in self.history],
        }
        unfinished = self.checkpoint.with_name(self.checkpoint.name + ".unfinished")
        try:
            torch.save(state, unfinished)
            os.replace(unfinished, self.checkpoint)
        except OSError as error:
            raise OutputError(f"Cannot write {self.checkpoint}: {error.strerror or error}.") from None

    def _resume(self, optimizer: torch.optim.Optimizer) -> None:
        if self.checkpoint is None or not self.checkpoint.exists():
            return
        try:
            state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
            settings = state["settings"]
            if settings == json.dumps(self.settings, sort_keys=True):
                self.module.load_state_dict(state["module"])
                optimizer.load_state_dict(state["optimizer"])
                self.history[:] = [Epoch(**epoch) for epoch in state["history"]]
                return
        except Exception:
            # Of a damaged file torch raises what it likes.
            raise UserError(f"{self.checkpoint} is damaged: delete it, or give --overwrite, to begin anew.") from None
        raise UserError(
            f"{self.checkpoint} is of a training with other settings: give those, or --overwrite to begin anew."
        )
