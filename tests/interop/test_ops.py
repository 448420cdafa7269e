"""Every operation against real TensorFlow: errors, static shapes, values and gradients.

Each sample of the registry test, and some variants of it (`ops_cases`), is a node that both import, with its inputs known to different degrees, and
run. TensorFlow answers all questions in one process.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpersist.ops  # noqa: F401  # registers the operations
from gpersist import protos
from gpersist.dtypes import DType
from gpersist.graph import Graph, Operation, Session, convert_to_tensor, get_op_type, import_graph_def, make_ndarray, make_tensor_proto
from gpersist.ops.gradients import gradients
from gpersist.shapes import TensorShape
from tests.interop.ops_cases import Case, chosen_cases, op_names, question

pytestmark = [pytest.mark.interop, pytest.mark.timeout(1200)]  # the first test waits for the answers to all questions

MODES = ("vague", "ranked", "batch", "shaped", "const")
"""How much is known of the inputs; see ops_by_tensorflow.py."""

VARIANTS = 3
"""How many of an operation's variants are tried beside its samples."""

_TOLERANCES = {"float64": 1e-9, "complex128": 1e-9, "float32": 1e-5, "complex64": 2e-5, "float16": 2e-2, "bfloat16": 2e-2}

_NO_KERNEL = re.compile(
    r"No OpKernel was registered|Missing \d+-th output from|only supports? (the )?ND?HWC|dilation rates larger than 1|is only supported on GPU"
    r"|Signature mismatch"
)
"""What TensorFlow has on GPUs, by oneDNN, or for other types, alone. We run it everywhere."""

KNOWN = {
    # another graph of the same values
    r"FusedBatchNormGrad(V2|V3)?\S*: gradient nodes": "the same mathematics, in other operations",
    r"(BiasAddGrad|CropAndResize|ExtractImagePatches|Gather\w+|Prod|Resize\w+|I?RFFT(2D)?|Softmax\w*|Einsum|Sparse\w*)\S*: gradient nodes":
        "the same mathematics, in other operations",
    r"SparseToDense\S*: gradients": "None instead of zeros for integers",
    r"Stateless(RandomGammaV2|ParameterizedTruncatedNormal)\S*: gradient nodes": "the same mathematics, in other operations",
    # memory that TensorFlow does not write to
    r"(BlockLSTM(V2)?|Empty|FusedBatchNorm(V2|V3)?|Cholesky)\.\S*: (output|gradient)": "the memory is as it was found",
    r"BlockLSTMV2\.\S*: gradient nodes": "not every output has a gradient here",
    r"(Svd|SelfAdjointEigV2)\.\S*: output \d: \S+ \(0,\); TensorFlow: \S+ \(\)": "what is not computed is empty, as its static shape says",
    r"(I?RFFT(2D|3D)?)\S*-none-last: run": "reads beyond its input",
    r"_Fused(DepthwiseConv2dNative|BatchNormEx)\S*: run": "it runs them with oneDNN, or on a GPU",
    r"_FusedConv3D\S*: run|_FusedMatMul\.[56]\S*: run|Conv\.3: run": "by oneDNN alone, or not at all",
    r"_FusedConv2D\S*(half|float16)\S*: run|_Fused(Conv2D|MatMul)\S*2-0\S*: run": "no half; it does not count the biases",
    r"Fused(ResizeAnd)?PadConv2D[^:]*0-(none|less-first): run": "it takes no empty batch",
    r"CTC(Loss\.1|BeamSearchDecoder\.2)\S*: (output|gradient) ": "its doubles are added as floats",
    r"Fused(ResizeAnd)?PadConv2D[^:]*: (vague|ranked|batch)": "it wants paddings to be known",
    r"ParseSequenceExampleV2\.1\S* output (5|12): ": "of one example there are no such row splits; its static shape says a vector, it gives a scalar",
    r"ExtractVolumePatches[^:]*: (vague|ranked|batch)": "its shape has an axis too few",
    r"Fractional(Max|Avg)Pool\.\S*: (batch|shaped|const): shapes": "its sequences are longer by one than it says",
    r"ApproxTopK\S*: vague: no error": "it wants the rank to be known",
    r"Debug\S*gated_grpc=True: output": "no debugger has opened its gate: it gives nothing",
    r"DebugNanCount\S*: (vague|ranked|batch|shaped|const): shapes": "it says a scalar, and gives a vector",
    r"AudioMicrofrontend\S*: (vague|ranked|batch): shapes": "of a length that is not known it says that there are no frames",
    # what has no one answer
    r"(Svd|SelfAdjointEigV2)\.\S*: (output|gradient)": "singular vectors have any sign",
    r"Eig\.\S*: (output|gradient)": "eigenvalues in any order, eigenvectors of any phase",
    r"TopKV2\S*sorted=False: output": "an unsorted result has any order",
    r"MaxPool\w*Grad\w*\.\S*: (output|gradient)": "the output that is given belongs to another input: a window of ours is looked at afresh",
    r"ParseExample\S*: |ParseSingleExample\S*: ": "one key is both sparse and dense",
    r"DecodeJSONExample\S*: output": "numbers are packed, as all other writers of examples pack them",
    # bugs of TensorFlow's
    r"Round\S*: output": "its kernel gives 0 for integers",
    r"Erf\S*: output": "its kernel gives NaN for infinity in double",
    r"MatrixDiagPartV2\S*: gradient|MatrixSetDiagV[23]\S*: (ranked|batch): no error": "it takes V2's diagonals to be aligned as V3's",
    r"DepthwiseConv2dNative\S*: (output|gradient|run)": "it ignores dilations, or runs NHWC alone",
    r"Conv2DBackprop(Filter|Input)\.5: run|Conv2D\.5: gradient": "it has no gradients of groups",
    r"SparseTensorDenseMatMul\.4: gradient": "it does not conjugate the dense matrix",
    r"Where\.0\.T=float16: run|Range\.0\.Tidx=float16: const": "it has no such kernel",
    r"(RFFT|IRFFT)\S*: (const|run)": "-1 is a size that it rounds",
    # NaN and infinity where numbers are expected
    r"\w+\.\d+\.\S*(nan|inf|zero|half|special-\w+): output": "NaN, infinity and their like, where no one promises anything",
    r"QuantizeAndDequantize\S*nan: run": "NaN as a bound",
    # inputs that nobody gives: we see the fault earlier, later, or not at all
    r"AvgPool\w*Grad\.|MaxPool\w*Grad\w*\.": "windows and gradients that don't go together",
    r"(BroadcastArgs|CropAndResizeGrad)\S*: run|DepthwiseConv2d\S*dilations|LSTMBlockCellGrad\S*: output|MaxPoolWithArgmax\S*ksize|Svd\S*inf:":
        "one of both lets a bad input pass",
    r"(Sparse\w+|RaggedCross)\.\d+\.\S*: (run|output)": "the same, of indices that are out of order or out of range",
    r"RaggedTensorToTensor\S*: (ranked|batch|shaped)": "an unknown shape is left to the run",
    r"(MirrorPadGrad|GatherV2\.4|(Not)?Equal\.[67]|Sparse\w+|FakeQuant\w+|MatrixDiagPart)\S*: (ranked|batch|shaped|const): shapes":
        "we know more, or less",
    r"(TensorSummary|HistogramSummary|EncodeWav|Resize\w+Grad\.2)\S*: output": "another rounding, or another way to write the same",
}  # fmt: skip
"""Where we differ, and may: patterns of a difference, with the reason."""


_PROCESSOR = Path("/proc/cpuinfo").read_text().split() if Path("/proc/cpuinfo").exists() else []


class Answers:
    """What TensorFlow has said to each case."""

    def __init__(self, cases: dict[str, tuple[Case, list[protos.NodeDef]]], nodes: list[protos.NodeDef]) -> None:
        self.cases = cases
        self.answers = {node.name: node for node in nodes}


BY_ONEDNN = [
    name
    for name in op_names()
    if re.fullmatch(r"Quantized(Conv2D(PerChannel|And|With)|DepthwiseConv2D|MatMulWith|ConcatV2).*|_Fused(Conv3D|MatMul|DepthwiseConv2dNative)", name)
]
"""Operations that TensorFlow has kernels for by oneDNN alone, or some of whose attributes."""


@pytest.fixture(scope="module")
def asked_of_onednn(tensorflow: Any, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """The samples of these."""
    folder = tmp_path_factory.mktemp("onednn")
    samples = [case for name in BY_ONEDNN for case, _ in chosen_cases(name, 0)]
    cases = {f"c{number}": (case, question(f"c{number}", case)) for number, case in enumerate(samples)}
    whole = protos.GraphDef(node=[node for _, nodes in cases.values() for node in nodes])
    (folder / "questions").write_bytes(whole.SerializeToString())
    tensorflow("ops_by_tensorflow.py", folder / "questions", folder / "answers", "--onednn")
    return Answers(cases, list(protos.GraphDef.FromString((folder / "answers").read_bytes()).node))


@pytest.mark.skipif("avx512_vnni" not in _PROCESSOR, reason="on a processor without VNNI, oneDNN's sums of 8-bit products saturate at 16 bits")
@pytest.mark.parametrize("name", BY_ONEDNN)
def test_as_by_onednn(name: str, asked_of_onednn: Answers) -> None:
    for key, (case, nodes) in asked_of_onednn.cases.items():
        if case.op == name:
            assert "run" not in asked_of_onednn.answers[key].attr
            assert not list(_differences(nodes, asked_of_onednn.answers[key], []))


@pytest.fixture(scope="module")
def asked(request: pytest.FixtureRequest, tensorflow: Any, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """To the questions of the tests that were chosen."""
    chosen = {item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")}
    folder = tmp_path_factory.mktemp("ops")
    cases: dict[str, tuple[Case, list[protos.NodeDef]]] = {}
    for name in op_names():
        for case, is_sample in chosen_cases(name, VARIANTS) if name in chosen else ():
            key = f"c{len(cases)}"
            nodes = question(key, case)
            if is_sample and get_op_type(name).gradient is not None:
                nodes[-1:-1] = _weights(key, nodes)
            cases[key] = case, nodes
    whole = protos.GraphDef(node=[node for _, nodes in cases.values() for node in nodes])
    (folder / "questions").write_bytes(whole.SerializeToString())
    tensorflow("ops_by_tensorflow.py", folder / "questions", folder / "answers")
    return Answers(cases, list(protos.GraphDef.FromString((folder / "answers").read_bytes()).node))


@pytest.mark.parametrize("name", op_names())
def test_as_in_tensorflow(name: str, asked: Answers) -> None:
    found = []
    for key, (case, nodes) in asked.cases.items():
        if case.op != name or "crash" in asked.answers[key].attr:
            continue
        errors: list[str] = []
        texts = [f"{case.name}: {text}" for text in _differences(nodes, asked.answers[key], errors)]
        if case.name.count(".") > 1 and errors and _fails(asked.answers[key]):
            texts = [text for text in texts if not _OF_ERRORS.match(text)]  # a bad input: found while building, or when run
        found += [text for text in texts if not any(re.match(pattern, text) for pattern in KNOWN)]
    assert not found, "\n".join(found)


_OF_ERRORS = re.compile(r"\S+: (vague|ranked|batch|shaped|const|run): ")


def _fails(answer: protos.NodeDef) -> bool:
    return any(name in answer.attr for name in (*MODES, "run"))


def _weights(key: str, nodes: list[protos.NodeDef]) -> list[protos.NodeDef]:
    """For each output of the node a constant that its gradient starts with."""
    generator = np.random.default_rng(5)
    with Graph().as_default() as graph, Session() as session:
        import_graph_def(protos.GraphDef(node=nodes, versions=graph.versions), name="")
        values = session.run(list(graph.get_operation_by_name(key).outputs))
    found = []
    for index, value in enumerate(map(np.asarray, values)):
        weights: Any = generator.uniform(0.5, 1.5, value.shape)
        if value.dtype.kind == "c":
            weights = weights + 1j * generator.uniform(0.5, 1.5, value.shape)
        is_number = value.dtype.kind in "fc" or value.dtype.name == "bfloat16"
        proto = make_tensor_proto(weights.astype(value.dtype if is_number else np.float32))
        node = protos.NodeDef(name=f"{key}/grad{index}", op="Const")
        node.attr["dtype"].type = proto.dtype
        node.attr["value"].tensor.CopyFrom(proto)
        found.append(node)
    return found


def _differences(nodes: list[protos.NodeDef], answer: protos.NodeDef, errors: list[str]) -> Any:
    """What differs, as text; our own errors go to `errors`."""
    if "is not available in GraphDef version" in answer.attr["vague_message"].s.decode():
        return  # it is for older graphs
    *constants, node = nodes
    inputs = [constant for constant in constants if "/grad" not in constant.name]
    known: dict[str, Operation] = {}
    with Graph().as_default() as graph:
        for mode in MODES:
            theirs = answer.attr[mode].s.decode() if mode in answer.attr else None
            try:
                import_graph_def(_with_inputs(node, inputs, mode), name=mode)
            except (ValueError, TypeError) as error:
                errors.append(str(error))
                if theirs != type(error).__name__:
                    yield f"{mode}: {type(error).__name__}: {error}; TensorFlow: {theirs}"
                continue
            known[mode] = graph.get_operation_by_name(f"{mode}/{node.name}")
            if theirs is not None:
                yield f"{mode}: no error; TensorFlow: {theirs}: {answer.attr[f'{mode}_message'].s.decode()}"
                continue
            shapes = [output.shape for output in known[mode].outputs]
            wanted = [TensorShape(shape) for shape in answer.attr[f"{mode}_shapes"].list.shape]
            if shapes != wanted:
                yield f"{mode}: shapes {shapes}; TensorFlow: {wanted}"
    run = next((mode for mode in MODES if mode not in answer.attr), None)
    if run in known:
        yield from _differences_of_values(known[run], run, inputs, answer, errors)
    if "gradient_names" in answer.attr:
        yield from _differences_of_gradients(nodes, answer)


def _with_inputs(node: protos.NodeDef, constants: list[protos.NodeDef], mode: str) -> protos.GraphDef:
    message = protos.GraphDef(versions=Graph().versions)
    for constant in constants:
        if mode == "const":
            message.node.append(constant)
            continue
        placeholder = message.node.add(name=constant.name, op="Placeholder")
        placeholder.attr["dtype"].CopyFrom(constant.attr["dtype"])
        shape = placeholder.attr["shape"].shape
        if mode == "vague":
            shape.unknown_rank = True
            continue
        shape.CopyFrom(constant.attr["value"].tensor.tensor_shape)
        for dim in shape.dim[: {"ranked": None, "batch": 1, "shaped": 0}[mode]]:
            dim.size = -1
    message.node.append(node)
    return message


def _differences_of_values(op: Operation, mode: str, constants: list[protos.NodeDef], answer: protos.NodeDef, errors: list[str]) -> Any:
    message = answer.attr["run_message"].s.decode().partition("\nNode: ")[2] if "run" in answer.attr else ""
    if _NO_KERNEL.search(message):
        return
    arrays = [make_ndarray(constant.attr["value"].tensor) for constant in constants]
    feeds = {} if mode == "const" else dict(zip(op.inputs, arrays, strict=True))
    theirs = answer.attr["run"].s.decode() if "run" in answer.attr else None
    with Session(graph=op.graph) as session:
        try:
            values = session.run(list(op.outputs) or op, feeds)
        except Exception as error:  # whichever it is, its class is compared
            errors.append(str(error))
            if type(error).__name__ != theirs:
                yield f"run: {type(error).__name__}: {error}; TensorFlow: {theirs}: {message}"
            return
    if theirs is not None:
        yield f"run: no error; TensorFlow: {theirs}: {message}"
        return
    for index, (value, proto, output) in enumerate(zip(values or (), answer.attr["values"].list.tensor, op.outputs, strict=True)):
        text = _difference(value, make_ndarray(proto), output.dtype)
        if text:
            yield f"output {index}: {text}"


def _difference(value: Any, wanted: Any, dtype: DType) -> str:
    mine, theirs = np.asarray(value), np.asarray(wanted)
    if theirs.dtype.names:  # a quantised type: its numbers, as a session gives them
        theirs = theirs[theirs.dtype.names[0]]
    if dtype.is_string:
        mine, theirs = np.asarray(value, object), np.asarray(wanted, object)
    if mine.shape != theirs.shape or mine.dtype != theirs.dtype:
        return f"{mine.dtype} {mine.shape}; TensorFlow: {theirs.dtype} {theirs.shape}"
    tolerance = _TOLERANCES.get(dtype.name)
    if tolerance is None:
        return "" if mine.tolist() == theirs.tolist() else f"{mine.tolist()!r:.200}; TensorFlow: {theirs.tolist()!r:.200}"
    wide = np.complex128 if dtype.is_complex else np.float64
    with np.errstate(all="ignore"):
        is_near = np.isclose(mine.astype(wide), theirs.astype(wide), rtol=tolerance, atol=tolerance / 10, equal_nan=True)
    return "" if is_near.all() else f"at {np.argwhere(~is_near)[:5].tolist()}: {mine[~is_near][:5]}; TensorFlow: {theirs[~is_near][:5]}"


def _differences_of_gradients(nodes: list[protos.NodeDef], answer: protos.NodeDef) -> Any:
    with Graph().as_default() as graph, Session() as session:
        import_graph_def(protos.GraphDef(node=nodes, versions=graph.versions), name="")
        op = graph.get_operation_by_name(answer.name)
        before = len(graph.get_operations())
        weights = [graph.get_tensor_by_name(f"{answer.name}/grad{index}:0") for index in range(len(op.outputs))]
        pairs = [(y, weight) for y, weight in zip(op.outputs, weights, strict=True) if y.dtype.is_floating or y.dtype.is_complex]
        found = gradients([y for y, _ in pairs], list(op.inputs), [weight for _, weight in pairs])
        tensors = [None if each is None else convert_to_tensor(each) for each in found]
        made = {made.name: (made.type, tuple(made.node_def.input)) for made in graph.get_operations()[before:]}
        names = ["" if tensor is None else tensor.name for tensor in tensors]
        wanted = [name.decode() for name in answer.attr["gradient_names"].list.s]
        if [name == "" for name in names] != [name == "" for name in wanted]:
            yield f"gradients: {names}; TensorFlow: {wanted}"
            return
        messages = [protos.NodeDef.FromString(message) for message in answer.attr["gradient_nodes"].list.s]
        theirs = {message.name: (message.op, tuple(message.input)) for message in messages}
        if names != wanted or made != theirs:
            yield f"gradient nodes: {sorted(made.items() - theirs.items())}; TensorFlow: {sorted(theirs.items() - made.items())}"
        if "gradient_run" in answer.attr:
            return
        kept = [tensor for tensor in tensors if tensor is not None]
        for index, (value, proto) in enumerate(zip(session.run(kept), answer.attr["gradient_values"].list.tensor, strict=True)):
            text = _difference(value, make_ndarray(proto), kept[index].dtype)
            if text:
                yield f"gradient {index}: {text}"
