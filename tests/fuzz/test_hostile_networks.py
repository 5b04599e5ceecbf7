"""Small networks written by hand, each of which lies in one way: refused with a sentence, at once."""

from __future__ import annotations

import time

import numpy as np
import pytest
import tflite
import torch
from tflite import BuiltinOperator as Op
from torch.nn import functional as F

from models.errors import BundleError
from models.tflite_graph import TFLiteGraph
from tests.fuzz.networks import Network

SIDE = 64


def weights(*shape):
    return np.random.default_rng(3).normal(0, 0.2, shape).astype(np.float32)


def convolved(network, image, out=8, side=SIDE, channels=3, kernel=3, stated=None, **options):
    result = network.activation(*(stated or (1, side, side, out)))
    taken = network.constant(weights(out, kernel, kernel, channels)), network.constant(np.zeros(out))
    return network.convolution(image, *taken, result, **options)


def refused(network, *outputs):
    """The sentence; the network was not run."""
    start = time.process_time()
    with pytest.raises(BundleError) as error:
        TFLiteGraph(network.content(*outputs), range(len(outputs)))
    assert time.process_time() - start < 10
    assert "\n" not in str(error.value)
    return str(error.value)


@torch.inference_mode()
def test_a_sound_network_written_by_hand_is_computed():
    network = Network(SIDE)
    x = convolved(network, 0, stride=2, stated=(1, 32, 32, 8))
    x = network.resize(x, 48, 40, network.activation(1, 48, 40, 8))
    graph = TFLiteGraph(network.content(x), [0])
    graph.check()
    image = torch.rand(2, 3, SIDE, SIDE)
    kernel = torch.from_numpy(weights(8, 3, 3, 3)).permute(0, 3, 1, 2)
    # TensorFlow's SAME with an even side and stride 2: nothing before, one behind.
    expected = F.conv2d(F.pad(image, (0, 1, 0, 1)), kernel, stride=2)
    expected = F.interpolate(expected, (48, 40), mode="bilinear")
    assert graph.output_shapes == [(1, 8, 48, 40)]
    torch.testing.assert_close(graph(image)[0], expected)


def test_shapes_that_do_not_follow():
    for stated in ((1, 32, 64, 8), (1, 64, 64, 7), (1, 64, 64), (64, 64, 8), (2, 64, 64, 8)):
        network = Network(SIDE)
        assert refused(network, convolved(network, 0, stated=stated)) == "The network in the bundle is damaged."


@pytest.mark.parametrize(
    "shape", [(1, 64, -64, 8), (1, 0, 64, 8), (1, 2**31 - 1, 2**31 - 1, 8), (2**16,) * 4, (1,) * 7]
)
def test_impossible_sizes(shape):
    network = Network(SIDE)
    refused(network, convolved(network, 0, stated=shape))


def test_weights_that_the_file_does_not_hold():
    network = Network(SIDE)
    kernel = network.constant(weights(8, 3, 3, 3), stated=(4096, 3, 3, 256))
    refused(network, network.convolution(0, kernel, network.constant(np.zeros(8)), network.activation(1, 64, 64, 8)))


def test_weights_that_are_computed():
    network = Network(SIDE)
    kernel = network.operator(Op.LOGISTIC, (0,), (network.activation(1, SIDE, SIDE, 3),))
    x = network.convolution(0, kernel, network.constant(np.zeros(1)), network.activation(1, SIDE, SIDE, 1))
    refused(network, x)


@pytest.mark.parametrize("options", [{"stride": 0}, {"stride": -1}, {"dilation": 0}, {"dilation": 2**31 - 1}])
def test_options_out_of_range(options):
    network = Network(SIDE)
    refused(network, convolved(network, 0, **options))


def test_operators_that_need_their_own_result():
    network = Network(SIDE)
    first, second = network.activation(1, SIDE, SIDE, 3), network.activation(1, SIDE, SIDE, 3)
    network.operator(Op.LOGISTIC, (second,), (first,))
    network.operator(Op.LOGISTIC, (first,), (second,))
    refused(network, second)
    itself = Network(SIDE)
    x = itself.activation(1, SIDE, SIDE, 3)
    refused(itself, itself.operator(Op.LOGISTIC, (x,), (x,)))


def test_weights_that_are_unpacked_from_themselves():
    network = Network(SIDE)
    first, second = network.activation(8, 3, 3, 3), network.activation(8, 3, 3, 3)
    network.operator(Op.DEQUANTIZE, (second,), (first,))
    network.operator(Op.DEQUANTIZE, (first,), (second,))
    x = network.convolution(0, first, network.constant(np.zeros(8)), network.activation(1, SIDE, SIDE, 8))
    refused(network, x)


def test_two_operators_with_the_same_result():
    network = Network(SIDE)
    x = network.activation(1, SIDE, SIDE, 3)
    network.operator(Op.LOGISTIC, (0,), (x,))
    refused(network, network.operator(Op.LOGISTIC, (0,), (x,)))


@pytest.mark.parametrize("tensor", [-2, -1, 50, 2**31 - 1])
def test_tensors_that_are_not_there(tensor):
    network = Network(SIDE)
    refused(network, network.operator(Op.LOGISTIC, (tensor,), (network.activation(1, SIDE, SIDE, 3),)))


def test_an_output_that_nothing_computes():
    network = Network(SIDE)
    refused(network, network.constant(np.zeros((1, 8))))
    refused(network, network.activation(1, 8))


@pytest.mark.parametrize("size", [(2**31 - 1, 2**31 - 1), (-1, -1), (0, 0), (60_000, 60_000)])
def test_resizing_to_gigabytes(size):
    network = Network(SIDE)
    refused(network, network.resize(0, *size, network.activation(1, *size, 3)))


@pytest.mark.parametrize("amount", [-1, 2**31 - 1, 20_000])
def test_padding_to_gigabytes(amount):
    network = Network(SIDE)
    amounts = network.constant([(0, 0), (amount, amount), (amount, amount), (0, 0)], np.int32)
    side = SIDE + 2 * amount
    stated = side if side < 2**31 else 2**31 - 1
    refused(network, network.operator(Op.PAD, (0, amounts), (network.activation(1, stated, stated, 3),), "PadOptions"))


def test_images_are_not_mixed_with_one_another():
    network = Network(SIDE)
    mixed = network.operator(
        Op.CONCATENATION, (0, 0), (network.activation(2, SIDE, SIDE, 3),), "ConcatenationOptions", Axis=0
    )
    assert "mixes images" in refused(network, mixed)


def test_an_axis_that_is_not_there():
    network = Network(SIDE)
    result = network.activation(1, SIDE, SIDE, 6)
    refused(network, network.operator(Op.CONCATENATION, (0, 0), (result,), "ConcatenationOptions", Axis=4))


def test_too_much_computing():
    network = Network(256)
    x = convolved(network, 0, 64, 256)
    for _ in range(3):
        x = convolved(network, x, 64, 256, 64)
    assert "too large" in refused(network, x)


def test_too_much_memory():
    network = Network(1024)
    x = 0
    for _ in range(50):
        x = network.operator(Op.LOGISTIC, (x,), (network.activation(1, 1024, 1024, 3),))
    assert "too large" in refused(network, x)


def test_one_convolution_that_unfolds_to_gigabytes():
    network = Network(256)
    assert "too large" in refused(network, convolved(network, 0, 1, 256, kernel=32))


def test_the_same_weights_used_over_and_over():
    network = Network(32)
    kernel, bias = network.constant(weights(1024, 1, 1, 1024)), network.constant(np.zeros(1024))
    x = convolved(network, 0, 1024, 32, kernel=1)
    for _ in range(40):
        small = network.activation(1, 1, 1, 1024)
        x = network.convolution(x, kernel, bias, small, stride=32)
    assert "too large" in refused(network, x)


def test_too_many_operators():
    network = Network(SIDE)
    x = 0
    for _ in range(3000):
        x = network.operator(Op.LOGISTIC, (x,), (network.activation(1, SIDE, SIDE, 3),))
    refused(network, x)


def test_results_that_are_no_numbers():
    for bad in (np.nan, np.inf):
        network = Network(SIDE)
        kernel, bias = network.constant(np.full((1, 1, 1, 3), bad)), network.constant(np.zeros(1))
        x = network.convolution(0, kernel, bias, network.activation(1, SIDE, SIDE, 1))
        with pytest.raises(BundleError, match="damaged"):
            TFLiteGraph(network.content(x), [0]).check()


def test_a_network_that_takes_too_long(monkeypatch):
    network = Network(SIDE)
    graph = TFLiteGraph(network.content(convolved(network, 0)), [0])
    monkeypatch.setattr("models.tflite_graph._LONGEST_CHECK_S", 0.0)
    with pytest.raises(BundleError, match="takes too long"):
        graph.check()


def test_settings_of_another_operation():
    network = Network(SIDE)
    x = network.operator(Op.DEPTH_TO_SPACE, (0,), (network.activation(1, SIDE, SIDE, 3),), "Pool2DOptions", StrideW=1)
    refused(network, x)


def test_input_that_is_no_image_of_a_bearable_size():
    for side in (1, 16, 1025, 40_000):
        network = Network(side)
        assert (
            "takes images of"
            in refused(network, network.operator(Op.LOGISTIC, (0,), (network.activation(1, side, side, 3),)))
            or side == 40_000
        )


def test_other_types_of_weights_have_their_own_sentence():
    network = Network(SIDE)
    kernel = network.constant(weights(8, 3, 3, 3), np.float16)
    x = network.convolution(0, kernel, network.constant(np.zeros(8)), network.activation(1, 64, 64, 8))
    content = network.content(x)
    TFLiteGraph(content, [0]).check()
    tensor = tflite.Model.GetRootAs(content, 0).Subgraphs(0).Tensors(kernel)._tab
    changed = bytearray(content)
    changed[tensor.Pos + tensor.Offset(6)] = tflite.TensorType.INT32
    with pytest.raises(BundleError, match="damaged"):  # half as many values as the shape has
        TFLiteGraph(bytes(changed), [0])
    changed[tensor.Pos + tensor.Offset(6)] = tflite.TensorType.INT8
    with pytest.raises(BundleError, match="stores its weights"):
        TFLiteGraph(bytes(changed), [0])
