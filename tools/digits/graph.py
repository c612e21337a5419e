"""The trained network as a TensorFlow Lite file with the tensors Coqui STT looks for by name.

The LSTM is unrolled over `STEPS` vectors; weights are int8, one scale for each matrix (a float
matrix is multiplied by a pool of threads that spins, and takes thirty times as long).
"""

import struct
from collections.abc import Mapping, Sequence

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

from coqui_server.media.samples import SAMPLE_RATE
from tools.digits import ALPHABET, COEFFICIENTS, CONTEXT, STEP, WINDOW
from tools.digits.network import CHANNELS, HIGHEST, LOWEST

STEPS = 8
"""Feature vectors in one run of the network: it hears in strides of 0.16 s."""

BEAM = 100
"""The beam's width unless a setting names another."""

_VERSIONS = {"FULLY_CONNECTED": 9}
"""Of operators, where it is not 1: the library knows no later one that takes int8 weights."""

_TYPES = {"float32": "FLOAT32", "int32": "INT32", "int8": "INT8"}

Weights = Mapping[str, npt.NDArray[np.float32]]


def model(weights: Weights) -> bytes:
    """The file of the network with these parameters."""
    graph = _Graph()
    inputs = _features(graph, weights) + _letters(graph, weights)
    _describe(graph)
    return graph.packed(inputs)


def _features(graph: "_Graph", weights: Weights) -> list[int]:
    """One window of samples to a normalised feature vector."""
    window = graph.tensor([WINDOW], "input_samples")
    column = graph.reshape(window, [WINDOW, 1])
    spectrum = graph.custom(
        "AudioSpectrogram",
        [column],
        [1, 1, WINDOW // 2 + 1],
        {"window_size": WINDOW, "stride": STEP, "magnitude_squared": True},
    )
    mfccs = graph.custom(
        "Mfcc",
        [spectrum, graph.constant(np.array([SAMPLE_RATE], np.int32))],
        [1, 1, COEFFICIENTS],
        {
            "upper_frequency_limit": HIGHEST,
            "lower_frequency_limit": LOWEST,
            "filterbank_channel_count": CHANNELS,
            "dct_coefficient_count": COEFFICIENTS,
        },
    )
    shape = [1, COEFFICIENTS]
    flat = graph.reshape(mfccs, shape)
    centred = graph.operator("ADD", [flat, graph.constant(-weights["mean"])], shape)
    scale = graph.constant(weights["scale"])
    graph.output(graph.operator("MUL", [centred, scale], shape, name="mfccs"))
    return [window]


def _letters(graph: "_Graph", weights: Weights) -> list[int]:
    """A run of windows of feature vectors, and the LSTM's state, to probabilities of letters."""
    width, seen = len(weights["second.bias"]), 2 * CONTEXT + 1
    vectors = graph.tensor([1, STEPS, seen, COEFFICIENTS], "input_node")
    states = [graph.tensor([1, width], f"previous_state_{name}") for name in "ch"]
    flow = graph.reshape(vectors, [STEPS, seen * COEFFICIENTS])
    for name in ("first", "second", "third"):
        flow = graph.dense(flow, weights[f"{name}.weight"], weights[f"{name}.bias"], relu6=True)
    flow = graph.dense(
        flow,
        weights["lstm.weight_ih_l0"],
        weights["lstm.bias_ih_l0"] + weights["lstm.bias_hh_l0"],
    )
    flow = _lstm(graph, flow, states, weights["lstm.weight_hh_l0"])
    flow = graph.dense(flow, weights["fifth.weight"], weights["fifth.bias"], relu6=True)
    flow = graph.dense(flow, weights["sixth.weight"], weights["sixth.bias"])
    shape = [STEPS, len(ALPHABET) + 1]
    softmax = schema.SoftmaxOptionsT(beta=1.0)
    graph.output(graph.operator("SOFTMAX", [flow], shape, softmax, name="logits"))
    return [vectors, *states]


def _lstm(
    graph: "_Graph", flow: int, states: Sequence[int], recurrent: npt.NDArray[np.float32]
) -> int:
    """PyTorch's LSTM, gates in its order, one step after another."""
    cell, hidden = states
    width = recurrent.shape[1]
    weights = graph.quantised(recurrent)
    outputs = []
    for step, given in enumerate(graph.split(flow, 0, STEPS, [1, 4 * width])):
        last = step == STEPS - 1
        recalled = graph.connected(hidden, weights, -1, [1, 4 * width])
        gates = graph.operator("ADD", [given, recalled], [1, 4 * width])
        take, keep, new, show = graph.split(gates, 1, 4, [1, width])
        take, keep, show = (graph.alike("LOGISTIC", gate) for gate in (take, keep, show))
        fresh = graph.alike("MUL", take, graph.alike("TANH", new))
        kept = graph.alike("MUL", keep, cell)
        cell = graph.alike("ADD", kept, fresh, name="new_state_c" if last else "")
        shown = graph.alike("TANH", cell)
        hidden = graph.alike("MUL", show, shown, name="new_state_h" if last else "")
        outputs.append(hidden)
    graph.output(cell)
    graph.output(hidden)
    return graph.operator(
        "CONCATENATION", outputs, [STEPS, width], schema.ConcatenationOptionsT(axis=0)
    )


def _describe(graph: "_Graph") -> None:
    """What the library reads of the model; each must be an operator's output or it crashes."""
    numbers = {
        "version": 6,
        "sample_rate": SAMPLE_RATE,
        "feature_win_len": WINDOW * 1000 // SAMPLE_RATE,
        "feature_win_step": STEP * 1000 // SAMPLE_RATE,
        "beam_width": BEAM,
    }
    for name, number in numbers.items():
        value = graph.constant(np.array([number], np.int32))
        graph.output(graph.reshape(value, [1], name=f"metadata_{name}"))
    labels = [letter.encode() for letter in ALPHABET]
    text = struct.pack("<H", len(labels)) + b"".join(
        struct.pack("<HH", index, len(label)) + label for index, label in enumerate(labels)
    )
    # A tensor of one string: how many there are, where each begins, where the last ends.
    strings = struct.pack("<iii", 1, 12, 12 + len(text)) + text
    value = graph.tensor([1], type="STRING", data=strings)
    graph.output(graph.reshape(value, [1], name="metadata_alphabet"))


class _Builder(flatbuffers.Builder):
    """Aligns data to 16 bytes, as TensorFlow Lite's schema asks; the generated code does not."""

    def StartVector(self, size: int, count: int, alignment: int) -> object:  # noqa: N802
        return super().StartVector(size, count, 16 if size == 1 else alignment)


class _Graph:
    """Tensors and operators, in the order they run. Methods give the number of a tensor."""

    def __init__(self) -> None:
        self._model = schema.ModelT(version=3, operatorCodes=[], buffers=[schema.BufferT()])
        self._graph = schema.SubGraphT(tensors=[], outputs=[], operators=[])
        self._codes: dict[str, int] = {}

    def packed(self, inputs: list[int]) -> bytes:
        """The file."""
        self._graph.inputs = inputs
        self._model.subgraphs = [self._graph]
        builder = _Builder(1 << 20)
        builder.Finish(self._model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def tensor(
        self,
        shape: Sequence[int],
        name: str = "",
        *,
        type: str = "FLOAT32",
        data: bytes = b"",
        scale: float = 0.0,
    ) -> int:
        number = len(self._graph.tensors)
        tensor = schema.TensorT(
            shape=list(shape), type=getattr(schema.TensorType, type), name=name or f"t{number}"
        )
        if data:
            tensor.buffer = len(self._model.buffers)
            self._model.buffers.append(schema.BufferT(data=np.frombuffer(data, np.uint8)))
        if scale:
            tensor.quantization = schema.QuantizationParametersT(scale=[scale], zeroPoint=[0])
        self._graph.tensors.append(tensor)
        return number

    def constant(self, value: npt.NDArray[np.generic], scale: float = 0.0) -> int:
        kind = _TYPES[value.dtype.name]
        return self.tensor(value.shape, type=kind, data=value.tobytes(), scale=scale)

    def quantised(self, value: npt.NDArray[np.float32]) -> int:
        scale = float(np.abs(value).max() / 127)
        return self.constant(np.rint(value / scale).astype(np.int8), scale)

    def output(self, tensor: int) -> None:
        self._graph.outputs.append(tensor)

    def operator(
        self,
        kind: str,
        inputs: Sequence[int],
        shape: Sequence[int],
        options: object = None,
        *,
        name: str = "",
    ) -> int:
        (output,) = self._run(kind, inputs, [self.tensor(shape, name)], options)
        return output

    def alike(self, kind: str, *inputs: int, name: str = "") -> int:
        """An operator whose output has its input's shape."""
        return self.operator(kind, inputs, self._graph.tensors[inputs[0]].shape, name=name)

    def reshape(self, tensor: int, shape: Sequence[int], *, name: str = "") -> int:
        output = self.tensor(shape, name)
        self._graph.tensors[output].type = self._graph.tensors[tensor].type
        shape_tensor = self.constant(np.array(shape, np.int32))
        options = schema.ReshapeOptionsT(newShape=list(shape))
        self._run("RESHAPE", [tensor, shape_tensor], [output], options)
        return output

    def split(self, tensor: int, axis: int, count: int, shape: Sequence[int]) -> list[int]:
        outputs = [self.tensor(shape) for _ in range(count)]
        along = self.tensor([], type="INT32", data=struct.pack("<i", axis))
        return self._run("SPLIT", [along, tensor], outputs, schema.SplitOptionsT(numSplits=count))

    def dense(
        self,
        flow: int,
        weight: npt.NDArray[np.float32],
        bias: npt.NDArray[np.float32],
        *,
        relu6: bool = False,
    ) -> int:
        shape = [self._graph.tensors[flow].shape[0], len(bias)]
        return self.connected(flow, self.quantised(weight), self.constant(bias), shape, relu6=relu6)

    def connected(
        self, flow: int, weight: int, bias: int, shape: Sequence[int], *, relu6: bool = False
    ) -> int:
        activation = schema.ActivationFunctionType
        options = schema.FullyConnectedOptionsT(
            fusedActivationFunction=activation.RELU6 if relu6 else activation.NONE,
            asymmetricQuantizeInputs=True,
        )
        return self.operator("FULLY_CONNECTED", [flow, weight, bias], shape, options)

    def custom(
        self, kind: str, inputs: Sequence[int], shape: Sequence[int], options: dict[str, object]
    ) -> int:
        output = self.operator(kind, inputs, shape)
        encoded = np.frombuffer(flexbuffers.Dumps(options), np.uint8)
        self._graph.operators[-1].customOptions = encoded
        return output

    def _run(
        self, kind: str, inputs: Sequence[int], outputs: list[int], options: object = None
    ) -> list[int]:
        operator = schema.OperatorT(
            opcodeIndex=self._code(kind), inputs=list(inputs), outputs=outputs
        )
        if options:
            name = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, name)
            operator.builtinOptions = options
        self._graph.operators.append(operator)
        return outputs

    def _code(self, kind: str) -> int:
        if kind not in self._codes:
            self._codes[kind] = len(self._codes)
            builtin = getattr(schema.BuiltinOperator, kind, schema.BuiltinOperator.CUSTOM)
            code = schema.OperatorCodeT(
                deprecatedBuiltinCode=builtin, builtinCode=builtin, version=_VERSIONS.get(kind, 1)
            )
            if builtin == schema.BuiltinOperator.CUSTOM:
                code.customCode = kind
            self._model.operatorCodes.append(code)
        return self._codes[kind]
