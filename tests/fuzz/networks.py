"""Writes small .tflite files by hand: sound ones, and ones that lie."""

from __future__ import annotations

from collections.abc import Sequence

import flatbuffers
import numpy as np
import tflite
from tflite import BuiltinOperator as Op

TYPES = {"float32": tflite.TensorType.FLOAT32, "int32": tflite.TensorType.INT32, "float16": tflite.TensorType.FLOAT16}


class Network:
    """Tensors and operators in the order in which they are added. Tensor 0 is the image."""

    def __init__(self, side: int = 64) -> None:
        self._tensors: list[tuple[tuple[int, ...], np.ndarray | None]] = [((1, side, side, 3), None)]
        self._operators: list[tuple[int, Sequence[int], Sequence[int], str, dict[str, int]]] = []

    def activation(self, *shape: int) -> int:
        self._tensors.append((shape, None))
        return len(self._tensors) - 1

    def constant(self, values: object, dtype: type = np.float32, stated: tuple[int, ...] | None = None) -> int:
        """stated: the shape that the file tells, where it is not that of the values."""
        array = np.asarray(values, dtype)
        self._tensors.append((stated or array.shape, array))
        return len(self._tensors) - 1

    def operator(self, code: int, inputs: Sequence[int], outputs: Sequence[int], kind: str = "", **options: int) -> int:
        """kind: class of the options, such as Conv2DOptions; options: by the names that its Add… functions bear."""
        self._operators.append((code, inputs, outputs, kind, options))
        return outputs[0]

    def convolution(
        self, image: int, weights: int, bias: int, output: int, *, stride: int = 1, dilation: int = 1, same: bool = True
    ) -> int:
        return self.operator(
            Op.CONV_2D,
            (image, weights, bias),
            (output,),
            "Conv2DOptions",
            StrideH=stride,
            StrideW=stride,
            DilationHFactor=dilation,
            DilationWFactor=dilation,
            Padding=tflite.Padding.SAME if same else tflite.Padding.VALID,
        )

    def resize(self, image: int, height: int, width: int, output: int) -> int:
        size = self.constant((height, width), np.int32)
        options = {"HalfPixelCenters": True}
        return self.operator(Op.RESIZE_BILINEAR, (image, size), (output,), "ResizeBilinearOptions", **options)

    def content(self, *outputs: int) -> bytes:
        b = flatbuffers.Builder(1024)
        codes = sorted({operator[0] for operator in self._operators})
        buffers, tensors, operators, operator_codes = [_table(b, "Buffer")], [], [], []
        for shape, values in self._tensors:
            if values is not None:
                buffers.append(_table(b, "Buffer", Data=b.CreateNumpyVector(np.frombuffer(values.tobytes(), np.uint8))))
            kind = TYPES[values.dtype.name if values is not None else "float32"]
            buffer = len(buffers) - 1 if values is not None else 0
            tensors.append(_table(b, "Tensor", Shape=_numbers(b, shape), Type=kind, Buffer=buffer))
        for code, taken, made, kind, options in self._operators:
            held = {"BuiltinOptionsType": getattr(tflite.BuiltinOptions, kind)} if kind else {}
            if kind:
                held["BuiltinOptions"] = _table(b, kind, **options)
            ends = {"Inputs": _numbers(b, taken), "Outputs": _numbers(b, made)}
            operators.append(_table(b, "Operator", OpcodeIndex=codes.index(code), **ends, **held))
        for code in codes:
            operator_codes.append(_table(b, "OperatorCode", BuiltinCode=code, DeprecatedBuiltinCode=min(code, 127)))
        graph = _table(
            b,
            "SubGraph",
            Tensors=_tables(b, tensors),
            Inputs=_numbers(b, (0,)),
            Outputs=_numbers(b, outputs),
            Operators=_tables(b, operators),
        )
        vectors = {"OperatorCodes": operator_codes, "Subgraphs": [graph], "Buffers": buffers}
        model = _table(b, "Model", Version=3, **{name: _tables(b, held) for name, held in vectors.items()})
        b.Finish(model, b"TFL3")
        return bytes(b.Output())


def _table(b: flatbuffers.Builder, kind: str, **fields: int) -> int:
    getattr(tflite, f"{kind}Start")(b)
    for name, value in fields.items():
        getattr(tflite, f"{kind}Add{name}")(b, value)
    return getattr(tflite, f"{kind}End")(b)


def _numbers(b: flatbuffers.Builder, values: Sequence[int]) -> int:
    return b.CreateNumpyVector(np.array(values, np.int32))


def _tables(b: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    b.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        b.PrependUOffsetTRelative(offset)
    return b.EndVector()
