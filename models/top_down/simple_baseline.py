"""SimpleBaseline: a ResNet, three deconvolutions, and one heatmap for each joint.

Xiao, Wu and Wei, Simple Baselines for Human Pose Estimation and Tracking, ECCV 2018. Parameter names are those of the
authors' pose_resnet.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from models.top_down.blocks import Bottleneck, bottlenecks

_WIDTHS = (64, 128, 256, 512)
_DECONVOLUTIONS = 3
_DECONVOLUTION_WIDTH = 256


class SimpleBaseline(nn.Module):
    """Normalised RGB (N, 3, H, W) -> heatmaps (N, joints, H / 4, W / 4), as regressed: about 0 to 1, not clipped.

    blocks: of each of the four stages: 3, 4, 6, 3 for ResNet-50, and so on.
    """

    def __init__(self, blocks: Sequence[int], joints: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        channels = 64
        for number, (width, count) in enumerate(zip(_WIDTHS, blocks, strict=True), 1):
            self.add_module(f"layer{number}", bottlenecks(channels, width, count, 1 if number == 1 else 2))
            channels = width * Bottleneck.expansion
        layers: list[nn.Module] = []
        for _ in range(_DECONVOLUTIONS):
            layers += [
                nn.ConvTranspose2d(channels, _DECONVOLUTION_WIDTH, 4, 2, padding=1, bias=False),
                nn.BatchNorm2d(_DECONVOLUTION_WIDTH),
                nn.ReLU(),
            ]
            channels = _DECONVOLUTION_WIDTH
        self.deconv_layers = nn.Sequential(*layers)
        self.final_layer = nn.Conv2d(channels, joints, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        for number in range(1, len(_WIDTHS) + 1):
            x = self.get_submodule(f"layer{number}")(x)
        heatmaps: Tensor = self.final_layer(self.deconv_layers(x))
        return heatmaps
