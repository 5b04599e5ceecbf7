"""Reads a .tflite file: operators, shapes, weights. Trusts nothing that the file says of itself.

flatbuffers checks no offset and no length. What is damaged or hostile therefore surfaces in two ways. As nonsense: each
value that sizes a loop, a piece of memory or a computation is checked against the limits below where it is read. And as
whatever Python, numpy or torch raise: `told_as_damage` turns that into a BundleError, once, around all of it.

The limits are two to ten times what the largest official network, heavy, needs: 1,098 tensors, 689 operators,
14 million weights, 29 million activations, 1.9 billion multiplications.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import tflite
from numpy.typing import NDArray
from tflite import BuiltinOperator as Op

from models.errors import BundleError

MOST_ACTIVATIONS = 2**27  # of the whole network: half a gigabyte
MOST_MULTIPLICATIONS = 2**32
LARGEST_TENSOR = 2**24
_MOST_TENSORS = 8192
_MOST_OPERATORS = 2048
_MOST_WEIGHTS = 2**25
_LARGEST_RANK = 6
_MOST_ENDS = 64  # inputs or outputs of one operator
_LONGEST_CHAIN = 2  # DENSIFY, then DEQUANTIZE

_DTYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
}
_OP_NAMES = {code: name for name, code in vars(Op).items() if isinstance(code, int)}


@contextmanager
def told_as_damage() -> Iterator[None]:
    """Whatever is raised within becomes a BundleError of one sentence."""
    try:
        yield
    except BundleError:
        raise
    except Exception:
        # Among others struct.error, IndexError, RecursionError and MemoryError: no list of them would be complete.
        raise damaged() from None


def damaged() -> BundleError:
    return BundleError("The network in the bundle is damaged.")


def too_large() -> BundleError:
    return BundleError("The network in the bundle is too large.")


class Operator(NamedTuple):
    """One operation. inputs, outputs: tensors by number; an input of -1 was left out. table: flatbuffers' own view."""

    code: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    table: Any

    @property
    def name(self) -> str:
        name: str = _OP_NAMES.get(self.code, str(self.code))
        return name

    def options(self, options_class: Callable[[], Any]) -> Any:
        """The operation's own settings, of a class such as tflite.Conv2DOptions."""
        if self.table.BuiltinOptionsType() != getattr(tflite.BuiltinOptions, options_class.__name__):
            raise damaged()
        options, table = options_class(), self.table.BuiltinOptions()
        options.Init(table.Bytes, table.Pos)
        return options


class TFLiteFile:
    """The first graph of a .tflite file. Use it within `told_as_damage`.

    model: the file's content. inputs, outputs: the graph's, tensors by number. Shapes are those in the file, NHWC.
    Raises BundleError where the content is damaged, too large or no TFLite file.
    """

    def __init__(self, model: bytes) -> None:
        if not tflite.Model.ModelBufferHasIdentifier(model, 0):
            raise BundleError("The network in the bundle is not a TFLite file.")
        self._model = tflite.Model.GetRootAs(model, 0)
        self._graph = self._model.Subgraphs(0)
        self._tensor_count = _checked(self._graph.TensorsLength(), _MOST_TENSORS)
        self._buffer_count = _checked(self._model.BuffersLength(), _MOST_TENSORS)
        codes = [
            _operation(self._model.OperatorCodes(i))
            for i in range(_checked(self._model.OperatorCodesLength(), len(_OP_NAMES)))
        ]
        self.inputs = self._tensors(self._graph.InputsLength(), self._graph.InputsAsNumpy)
        self.outputs = self._tensors(self._graph.OutputsLength(), self._graph.OutputsAsNumpy)
        tables = [self._graph.Operators(i) for i in range(_checked(self._graph.OperatorsLength(), _MOST_OPERATORS))]
        self.operators = [
            Operator(
                codes[table.OpcodeIndex()],
                self._tensors(table.InputsLength(), table.InputsAsNumpy, left_out=True),
                self._tensors(table.OutputsLength(), table.OutputsAsNumpy),
                table,
            )
            for table in tables
        ]
        self._producers = {tensor: i for i, op in enumerate(self.operators) for tensor in op.outputs}
        if len(self._producers) != sum(len(op.outputs) for op in self.operators):
            raise damaged()  # two operations with the same result
        self._shapes: dict[int, tuple[int, ...]] = {}
        self._sources: dict[int, int | None] = {}
        self._constants: dict[int, NDArray[Any]] = {}
        self._weights_left = self._dense_left = _MOST_WEIGHTS

    def _tensors(self, length: int, values: Callable[[], Any], left_out: bool = False) -> tuple[int, ...]:
        if _checked(length, _MOST_ENDS) == 0:
            return ()
        tensors: tuple[int, ...] = tuple(values().tolist())
        if min(tensors) < (-1 if left_out else 0) or max(tensors) >= self._tensor_count:
            raise damaged()
        return tensors

    def shape(self, tensor: int) -> tuple[int, ...]:
        """At most LARGEST_TENSOR elements, at least one; () for a scalar."""
        shape = self._shapes.get(tensor)
        if shape is None:
            info = self._info(tensor)
            shape = tuple(info.ShapeAsNumpy().tolist()) if _checked(info.ShapeLength(), _LARGEST_RANK) else ()
            if min(shape, default=1) < 1 or math.prod(shape) > LARGEST_TENSOR:
                raise damaged()
            self._shapes[tensor] = shape
        return shape

    def operators_leading_to(self, tensors: Sequence[int]) -> list[Operator]:
        """The operators that compute `tensors` from the image, in the order of the file, constants left out."""
        needed: set[int] = set()
        pending = [tensor for tensor in tensors if not self.is_constant(tensor)]
        while pending:
            index = self._producers.get(pending.pop())
            if index is not None and index not in needed:
                needed.add(index)
                pending += self.activations(self.operators[index])
        return [self.operators[i] for i in sorted(needed)]

    def activations(self, operator: Operator) -> list[int]:
        """Those inputs of an operator that depend on the image."""
        return [tensor for tensor in operator.inputs if tensor >= 0 and not self.is_constant(tensor)]

    def is_constant(self, tensor: int) -> bool:
        return self._source(tensor) is not None

    def weights(self, tensor: int, axes: tuple[int, ...]) -> NDArray[np.float32]:
        """A copy of a constant in float32, its axes in this order."""
        values = self._constant(tensor)
        self._weights_left -= values.size
        if self._weights_left < 0:
            raise too_large()
        return values.transpose(axes).astype(np.float32)

    def integers(self, tensor: int, shape: tuple[int, ...]) -> Any:
        """A constant of integers in this shape, as nested lists."""
        values = self._constant(tensor)
        if values.dtype != np.int32 or values.shape != shape:
            raise damaged()
        return values.tolist()

    def _info(self, tensor: int) -> Any:
        if not 0 <= tensor < self._tensor_count:
            raise damaged()
        return self._graph.Tensors(tensor)

    def _source(self, tensor: int) -> int | None:
        """The tensor that is stored in the file and of which DENSIFY and DEQUANTIZE make this one; None if none is."""
        if tensor not in self._sources:
            self._sources[tensor] = self._find_source(tensor)
        return self._sources[tensor]

    def _find_source(self, tensor: int) -> int | None:
        for _ in range(_LONGEST_CHAIN + 1):
            if tensor not in self._producers:
                buffer = self._info(tensor).Buffer()
                if buffer >= self._buffer_count:
                    raise damaged()
                return tensor if self._model.Buffers(buffer).DataLength() else None
            operator = self.operators[self._producers[tensor]]
            if operator.code not in (Op.DEQUANTIZE, Op.DENSIFY):
                return None
            tensor = operator.inputs[0]
        raise damaged()

    def _constant(self, tensor: int) -> NDArray[Any]:
        source = self._source(tensor)
        if source is None:
            raise BundleError("The network in the bundle computes its own weights, which is not supported.")
        if source not in self._constants:
            self._constants[source] = self._read_constant(source)
        return self._constants[source]

    def _read_constant(self, tensor: int) -> NDArray[Any]:
        info, shape = self._info(tensor), self.shape(tensor)
        if info.Type() not in _DTYPES:
            raise BundleError("The network in the bundle stores its weights in a way that is not supported.")
        values: NDArray[Any] = self._model.Buffers(info.Buffer()).DataAsNumpy().view(_DTYPES[info.Type()])
        if info.Sparsity() is None:
            return values.reshape(shape)
        self._dense_left -= math.prod(shape)
        if self._dense_left < 0:
            raise too_large()
        return _densify(values, shape, info.Sparsity())


def _checked(count: int, most: int) -> int:
    """A length that the file states, as long as it is believable."""
    if count > most:
        raise damaged()
    return count


def _operation(code: Any) -> int:
    return int(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))


def _densify(values: NDArray[Any], shape: tuple[int, ...], sparsity: Any) -> NDArray[Any]:
    """Expand weights of which only the last dimension is stored in compressed sparse rows."""
    ranks = sparsity.DimMetadataLength()
    formats = [sparsity.DimMetadata(i).Format() for i in range(_checked(ranks, _LARGEST_RANK))]
    if sparsity.BlockMapLength() or formats != [tflite.DimensionType.DENSE] * (len(shape) - 1) + [
        tflite.DimensionType.SPARSE_CSR
    ]:
        raise BundleError("The network in the bundle stores its sparse weights in a way that is not supported.")
    rows, width = math.prod(shape[:-1]), shape[-1]
    if values.size > rows * width:
        raise damaged()
    last = sparsity.DimMetadata(len(shape) - 1)
    segments = _sparse_index(last.ArraySegmentsType(), last.ArraySegments(), rows + 1)
    columns = _sparse_index(last.ArrayIndicesType(), last.ArrayIndices(), values.size)
    lengths = np.diff(segments)
    if segments[0] != 0 or segments[-1] != values.size or lengths.min() < 0 or lengths.max() > width:
        raise damaged()
    if values.size and not 0 <= columns.min() <= columns.max() < width:
        raise damaged()
    dense = np.zeros((rows, width), values.dtype)
    dense[np.repeat(np.arange(rows), lengths), columns] = values
    return dense.reshape(shape)


def _sparse_index(kind: int, table: Any, length: int) -> NDArray[np.int64]:
    vector_class = {
        tflite.SparseIndexVector.Int32Vector: tflite.Int32Vector,
        tflite.SparseIndexVector.Uint16Vector: tflite.Uint16Vector,
        tflite.SparseIndexVector.Uint8Vector: tflite.Uint8Vector,
    }[kind]
    vector = vector_class()
    vector.Init(table.Bytes, table.Pos)
    if vector.ValuesLength() != length:
        raise damaged()
    index: NDArray[np.int64] = vector.ValuesAsNumpy().astype(np.int64)
    return index
