"""A top-down network with what belongs to it: the normalisation of its input, and the size of its crops."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.skeletons import COCO_17

JOINT_COUNT = len(COCO_17.joints)
# Of ImageNet in RGB, as everywhere since torchvision: all of these networks were trained with them.
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


class TopDownNetwork(nn.Module):
    """RGB crops (N, 3, H, W) in [0, 1] -> heatmaps (N, 17, H / 4, W / 4), joints as in COCO_17.

    The maps are as regressed: about 0 to 1, a little below 0 in places. Cell c stands for share c / size of the crop.

    title: for the user, for example “HRNet-W32”. input_size: height and width of the crops.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: nn.Module, title: str, input_size: tuple[int, int]) -> None:
        super().__init__()
        self.network = network
        self.title = title
        self.input_size = input_size
        self.register_buffer("mean", torch.tensor(_MEAN).view(3, 1, 1))
        self.register_buffer("deviation", torch.tensor(_DEVIATION).view(3, 1, 1))

    def forward(self, crops: Tensor) -> Tensor:
        heatmaps: Tensor = self.network((crops - self.mean) / self.deviation)
        return heatmaps
