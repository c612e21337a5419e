"""Checks that Coqui STT's library can run a TensorFlow Lite file.

The library trusts a model file, and crashes or corrupts memory if the file is wrong. The tensors
that it looks for by name are listed in Coqui STT's `tflitemodelstate.cc`; the tables are those of
TensorFlow Lite's `schema.fbs`, version 3.
"""

from math import prod
from typing import Any

from coqui_server.engines.flatbuffer import Reader, Table

_SCHEMA = {
    "Model": {
        "version": "I",
        "operator_codes": "[OperatorCode]",
        "subgraphs": "[SubGraph]",
        "description": "string",
        "buffers": "[Buffer]",
        "metadata_buffer": "[i]",
        "metadata": "[Metadata]",
        "signature_defs": "[SignatureDef]",
    },
    "OperatorCode": {"old_code": "b", "custom_code": "string", "version": "i", "code": "i"},
    "SubGraph": {
        "tensors": "[Tensor]",
        "inputs": "[i]",
        "outputs": "[i]",
        "operators": "[Operator]",
        "name": "string",
    },
    "Tensor": {
        "shape": "[i]",
        "type": "b",
        "buffer": "I",
        "name": "string",
        "quantization": "Quantization",
        "is_variable": "?",
        "sparsity": "Any",
        "shape_signature": "[i]",
    },
    "Quantization": {
        "min": "[f]",
        "max": "[f]",
        "scale": "[f]",
        "zero_point": "[q]",
        "details_type": "B",
        "details": "Any",
        "dimension": "i",
    },
    "Operator": {
        "opcode_index": "I",
        "inputs": "[i]",
        "outputs": "[i]",
        "options_type": "B",
        "options": "Any",
        "custom_options": "[B]",
        "custom_options_format": "b",
        "mutating_inputs": "[?]",
        "intermediates": "[i]",
    },
    "Buffer": {"data": "[B]"},
    "Metadata": {"name": "string", "buffer": "I"},
    "SignatureDef": {
        "inputs": "[TensorMap]",
        "outputs": "[TensorMap]",
        "key": "string",
        "tag": "string",
        "subgraph": "I",
    },
    "TensorMap": {"name": "string", "tensor": "I"},
    "Any": {},
}

_FLOAT, _INT, _STRING = 0, 2, 5
_SIZES = {_FLOAT: 4, 1: 2, _INT: 4, 3: 1, 4: 8, 6: 1, 7: 2, 9: 1}
"""Bytes of one value of each tensor type: f32, f16, i32, u8, i64, bool, i16, i8."""

_CUSTOM = 32
_CUSTOM_OPERATORS = ("AudioSpectrogram", "Mfcc")

_LARGEST = 1 << 28
"""Values in one tensor: far above any model's, and no overflow of 32 bits."""

_INPUTS = ("input_node", "previous_state_c", "previous_state_h", "input_samples")
_OUTPUTS = ("logits", "new_state_c", "new_state_h", "mfccs")
_NUMBERS = tuple(
    f"metadata_{name}"
    for name in ("version", "sample_rate", "feature_win_len", "feature_win_step", "beam_width")
)
_ALPHABET = "metadata_alphabet"


def check_model(content: bytes) -> None:
    """Raise ValueError if the library cannot run this file.

    Raises:
        ValueError: why not, as the end of a sentence about the file.
    """
    if content[4:8] != b"TFL3":
        raise ValueError("it is not a TensorFlow Lite file")
    model = Reader(content, _SCHEMA).root("Model")
    try:
        (graph,) = model["subgraphs"]
        _Graph(model, graph).check()
    except (KeyError, IndexError) as missing:
        raise ValueError(f"it lacks a part ({missing})") from missing


class _Graph:
    def __init__(self, model: Table, graph: Table) -> None:
        self._model = model
        self._tensors: list[Table] = graph["tensors"]
        self._inputs: list[int] = graph["inputs"]
        self._outputs: list[int] = graph["outputs"]
        self._operators: list[Table] = graph["operators"]

    def check(self) -> None:
        """Raise ValueError for anything that the library does not check itself."""
        for tensor in self._tensors:
            self._check_tensor(tensor)
        self._check_operators()
        self._check_names()

    def _data(self, tensor: Table) -> memoryview:
        """The values of a constant; empty for any other tensor."""
        buffer: Table = self._model["buffers"][tensor.get("buffer", 0)]
        data: memoryview = buffer.get("data", memoryview(b""))
        return data

    def _check_tensor(self, tensor: Table) -> None:
        shape, kind, data = tensor.get("shape", []), tensor.get("type", _FLOAT), self._data(tensor)
        if any(size < 1 for size in shape) or prod(shape) > _LARGEST or "sparsity" in tensor:
            raise ValueError(f"a tensor has the shape {shape}")
        if "details" in tensor.get("quantization", {}):
            raise ValueError("a tensor is quantised in a way of its own")
        if kind == _STRING:
            _check_strings(data)
        elif kind not in _SIZES or len(data) not in (0, prod(shape) * _SIZES[kind]):
            raise ValueError("a constant has not the size of its shape")

    def _check_operators(self) -> None:
        """Check that each operator reads tensors that are written by then, and writes only new
        ones."""
        there = {n for n, tensor in enumerate(self._tensors) if self._data(tensor)}
        if any(not 0 <= n < len(self._tensors) for n in (*self._inputs, *self._outputs)):
            raise ValueError("an input or output is no tensor")
        written = set(self._inputs)
        for operator in self._operators:
            self._check_code(operator)
            taken = set(operator.get("inputs", [])) - {-1}
            given = set(operator["outputs"])
            if not taken <= there | written:
                raise ValueError("an operator takes what was not computed before")
            if given & (there | written) or not given <= set(range(len(self._tensors))):
                raise ValueError("an operator writes over something")
            written |= given
        if not set(self._outputs) <= written - set(self._inputs):
            # The converters of TensorFlow 2 leave constants as outputs.
            raise ValueError("an output is not made by an operator, which crashes the library")

    def _check_code(self, operator: Table) -> None:
        code = self._model["operator_codes"][operator.get("opcode_index", 0)]
        if max(code.get("code", 0), code.get("old_code", 0)) != _CUSTOM:
            return
        if code.get("custom_code") not in _CUSTOM_OPERATORS or not operator.get("custom_options"):
            raise ValueError(f"it has an operator {code.get('custom_code')!r}")

    def _check_names(self) -> None:
        """The tensors the library finds by name, and whether their sizes fit together."""
        inputs = self._named(self._inputs, _INPUTS)
        outputs = self._named(self._outputs, (*_OUTPUTS, *_NUMBERS, _ALPHABET))
        for name, tensor in (inputs | outputs).items():
            expected = {_ALPHABET: _STRING}.get(name, _INT if name in _NUMBERS else _FLOAT)
            if tensor.get("type", _FLOAT) != expected:
                raise ValueError(f"the tensor {name} is of the wrong type")
        vectors = inputs["input_node"]["shape"]
        _, cells = inputs["previous_state_c"]["shape"]
        sizes = {name: prod(tensor["shape"]) for name, tensor in (inputs | outputs).items()}
        states = ("previous_state_c", "previous_state_h", "new_state_c", "new_state_h")
        fits = (
            len(vectors) == 4
            and vectors[2] % 2 == 1
            and sizes["mfccs"] == vectors[3]
            and sizes["logits"] % vectors[1] == 0
            and all(sizes[name] == cells for name in states)
            and all(sizes[name] == 1 for name in (*_NUMBERS, _ALPHABET))
        )
        if not fits:
            raise ValueError("the shapes of its inputs and outputs do not fit together")

    def _named(self, numbers: list[int], names: tuple[str, ...]) -> dict[str, Any]:
        named = {self._tensors[number].get("name", ""): self._tensors[number] for number in numbers}
        for name in names:
            if name not in named:
                raise ValueError(f"it has no tensor {name}: it is not a model of Coqui STT 1.x")
        return {name: named[name] for name in names}


def _check_strings(data: memoryview) -> None:
    """A constant of strings: how many, where each begins, where the last ends; then the bytes."""
    if not data:
        return
    count = int.from_bytes(data[:4], "little")
    if len(data) < 4 * (count + 2):
        raise ValueError("a text in it is cut off")
    places = data[4 : 4 * (count + 2)].cast("i").tolist()
    if places != sorted(places) or places[0] != 4 * (count + 2) or places[-1] != len(data):
        raise ValueError("a text in it is cut off")
