"""One operation = one class = one place: what it takes and gives, the shapes of that, how it runs, its gradient, and samples that test it.

    class MatMul(OpType):
        inputs = "a: T, b: T"
        outputs = "product: T"
        attrs = "transpose_a: bool = false, transpose_b: bool = false, T: {bfloat16, half, float, double, int32, int64, complex64, complex128}"
        samples = (sample("float[2,3]", "float[3,4]"), sample("float[3,2]", "float[3,4]", transpose_a=True))

        @staticmethod
        def shapes(op: Operation) -> list[TensorShape]: ...

        @staticmethod
        def run(xp: Any, a: Array, b: Array, *, transpose_a: bool, transpose_b: bool) -> Array: ...

        @staticmethod
        def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]: ...

The class's name is the operation's. Names, types and attributes are those of TensorFlow's OpDef (tests/golden/ops holds all of them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from gpersist import protos
from gpersist.errors import UnimplementedError
from gpersist.graph import registry, signature
from gpersist.graph.signature import Signature
from gpersist.shapes import TensorShape

if TYPE_CHECKING:
    from gpersist.graph.operation import Operation


class Sample(NamedTuple):
    """Inputs and attributes with which the registry test tries an operation.

    Attributes:
        inputs: one for each input of the signature: text such as "float[2,3]" for random values of a type and a shape, "float[2,3] in 0.5..2" for
            such of a range, "int32[4] in 0..3" likewise, or the value itself; for an input that is a list, a list of these.
        attrs: attributes by name, those that follow from the inputs left out.
        has_gradient: whether the gradient is compared with numeric differences here (not at kinks, say).
    """

    inputs: tuple[Any, ...]
    attrs: dict[str, Any]
    has_gradient: bool = True


def sample(*inputs: Any, has_gradient: bool = True, **attrs: Any) -> Sample:
    """A sample of these inputs and attributes; see `Sample`."""
    return Sample(inputs, attrs, has_gradient)


class OpType:
    """An operation whose outputs follow from its inputs and attributes alone. Never instantiated; every member is static.

    Attributes:
        inputs, outputs, attrs: the signature as text; see `gpersist.graph.signature` for the grammar.
        is_stateful, is_commutative, is_aggregate, allows_uninitialized_input: as in the OpDef.
        samples: what the registry test tries; without any, it fails.
        host_inputs: names of inputs that `run` gets as NumPy arrays, wherever the operation runs (shapes, axes, paddings).
        host_outputs: names of outputs that `run` gives as NumPy arrays (the shape of a tensor).
        is_host_only: whether it runs on the host only, whatever its device (strings, files). Operations on strings always do.
        takes_any_device: whether `run` gets its inputs wherever they are, rather than in the memory of its own device.
        is_static: whether its output is the same in every run of a session, and nobody writes to it: a constant, a variable's buffer. It is then made
            once, by `run` with the attributes alone.
        scalars, vectors: names of inputs that must be of rank 0, or 1: where one is known to be of another, the node cannot be added.
        path_inputs: names of inputs that are paths of files, or hold them: a loaded graph may not choose them (`gpersist.graph.permissions`).
        path_attrs: names of attributes that are such where they begin with "file://".
        file_attrs: names of attributes that are paths of files, unless they are empty or begin with "local://" or "bytes://".
        calls_python: whether it calls functions of Python's, which a loaded graph may not.
        is_foldable: whether shape inference may run it on the host at once, where all of its inputs are constants: cheap ones only.
    """

    inputs: ClassVar[str] = ""
    outputs: ClassVar[str] = ""
    attrs: ClassVar[str] = ""
    is_stateful: ClassVar[bool] = False
    is_commutative: ClassVar[bool] = False
    is_aggregate: ClassVar[bool] = False
    allows_uninitialized_input: ClassVar[bool] = False
    samples: ClassVar[tuple[Sample, ...]] = ()
    host_inputs: ClassVar[tuple[str, ...]] = ()
    host_outputs: ClassVar[tuple[str, ...]] = ()
    is_host_only: ClassVar[bool] = False
    takes_any_device: ClassVar[bool] = False
    is_static: ClassVar[bool] = False
    scalars: ClassVar[tuple[str, ...]] = ()
    vectors: ClassVar[tuple[str, ...]] = ()
    path_inputs: ClassVar[tuple[str, ...]] = ()
    path_attrs: ClassVar[tuple[str, ...]] = ()
    file_attrs: ClassVar[tuple[str, ...]] = ()
    calls_python: ClassVar[bool] = False
    is_foldable: ClassVar[bool] = False
    takes_context: ClassVar[bool] = False
    run_into: ClassVar[Any] = None
    """For operations element by element: what `run` does on the host, `run_into(*inputs, out=..., **attrs)`, into an array of the output's shape and
    type, which may be one of the inputs; a ufunc is such. It is used where one of these is needed no more, and all are of the output's type."""
    run_attrs: ClassVar[tuple[str, ...]] = ()
    """The attributes that `run` asks for: its keyword-only parameters."""
    newer_attrs: ClassVar[tuple[str, ...]] = ()
    """Those that TensorFlow has added since 1.15, which a node may have: its keyword-only parameters with defaults."""

    _signature: ClassVar[Signature | None] = None

    def __init_subclass__(cls, *, abstract: bool = False) -> None:
        """Enters the class in the registry, unless it is a base of others (`abstract=True`)."""
        run: Any = getattr(cls.run, "func", cls.run)  # of a partial function, the whole
        code, defaults = run.__code__, run.__kwdefaults__ or {}  # `inspect.signature` takes ten times as long, for hundreds of classes
        named = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        cls.run_attrs = tuple(name for name in named if name not in defaults)
        cls.newer_attrs = tuple(defaults)
        cls._signature = None
        if not abstract:
            registry.register(cls)

    @classmethod
    def signature(cls) -> Signature:
        """The signature, read from its texts once."""
        found = cls._signature
        if found is None:
            flags = {flag: getattr(cls, flag) for flag in ("is_stateful", "is_commutative", "is_aggregate", "allows_uninitialized_input")}
            found = cls._signature = signature.parse(cls.__name__, cls.inputs, cls.outputs, cls.attrs, **flags)
        return found

    @classmethod
    def op_def(cls) -> protos.OpDef:
        """TensorFlow's OpDef of it, without descriptions."""
        return signature.to_op_def(cls.signature())

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        """The shape of each output, as far as it can be told before running; by default nothing is known.

        Args:
            op: the node: `op.inputs[0].shape`, `op.attr("transpose_a")`, `constant_value(op.inputs[1])`. Its outputs aren't there yet.

        Raises:
            ValueError: the inputs' shapes don't go together.
        """
        return [TensorShape(None) for _ in op.output_types]

    @staticmethod
    def run(*inputs: Any, **attrs: Any) -> Any:
        """Computes the outputs: `run(xp, *inputs, **attrs)`.

        Args:
            inputs: `xp`, NumPy or CuPy; then an array for each input of the signature, for an input that is a list a list of arrays. A scalar may
                be a NumPy scalar instead of an array. None may be written to.
            attrs: those that the parameters after the `*` name, as `gpersist.graph.attr_value` has them.

        Returns:
            The output; for several, a sequence of them all, flat; for none, None.

        Raises:
            InvalidArgumentError, ValueError: the inputs don't go together.
        """
        raise UnimplementedError("this operation cannot be run")

    gradient: ClassVar[Any] = None
    """`gradient(op, *grads)`: builds the gradient with respect to each input; `grads` are those of the outputs, each a tensor.

    Gives one tensor for each input, None for those without; or one tensor alone for a single input. None itself: there is no gradient at all
    (TensorFlow's `NotDifferentiable` is a function that gives only None).
    """

    @classmethod
    def constant(cls, op: Operation, fold: Any) -> np.ndarray[Any, Any] | None:
        """The one output's value, where it is known before running; see `gpersist.graph.constant_value`.

        Args:
            op: the node.
            fold: a function that gives the same of an input, or None.
        """
        found = cls.constants(op, fold)
        return None if found is None else found[0]

    @classmethod
    def constants(cls, op: Operation, fold: Any) -> list[np.ndarray[Any, Any]] | None:
        """The values of all outputs, where they are known before running; as `constant`."""
        if not cls.is_foldable:
            return None
        values: list[Any] = []
        for tensor in op.inputs:
            value = fold(tensor)
            if value is None:
                return None
            values.append(value)
        with np.errstate(all="ignore"):
            found = cls.run(np, *op.grouped(values), **{name: op.attr(name) for name in cls.run_attrs})
            return [np.asarray(value) for value in (found if isinstance(found, (list, tuple)) else [found])]

    @staticmethod
    def constant_shape(op: Operation, fold: Any) -> TensorShape | None:
        """The one output read as a shape, where some of its elements are known before running: what `Shape` and `Pack` know."""
        return None


class SessionOpType(OpType, abstract=True):
    """An operation that needs the session: variables, random generators, files. Its `run` gets a context first: `run(ctx, *inputs, **attrs)`.

    `ctx` is a `gpersist.graph.Context`: the node, its device, `ctx.xp`, the session's variables, and a dict of its own that lives as long as the
    session. An input that is a reference, or a resource, comes as a `gpersist.graph.Buffer`.
    """

    takes_context = True
