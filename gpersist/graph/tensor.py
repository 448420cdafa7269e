"""Tensor: one output of an operation. A name for a value, not the value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from gpersist.dtypes import DType
from gpersist.errors import InternalError
from gpersist.graph import defaults
from gpersist.shapes import ShapeLike, TensorShape, as_shape

if TYPE_CHECKING:
    from gpersist.graph.graph import Graph
    from gpersist.graph.operation import Operation

_OPERATORS: dict[str, Callable[..., Tensor]] = {}


def install_operators(**operators: Callable[..., Tensor]) -> None:
    """Says what Python's operators do with tensors; called by `gpersist.ops`, which knows the operations.

    Args:
        operators: functions by name: `add`, `radd`, `sub`, ..., `lt`, `getitem`, `neg`, `invert`, `abs`.
    """
    _OPERATORS.update(operators)


class Operand:
    """What takes part in Python's arithmetic as a tensor: tensors, and the variables of `gpersist.ops`."""

    __slots__ = ()
    __array_priority__ = 100  # so that `array + tensor` is ours to answer

    def _apply(self, operator: str, *others: Any) -> Tensor:
        function = _OPERATORS.get(operator)
        if function is None:
            raise InternalError(f"operator {operator!r} of tensors is in gpersist.ops, which nobody has imported")
        return function(self, *others)

    def __add__(self, other: Any) -> Tensor:
        return self._apply("add", other)

    def __radd__(self, other: Any) -> Tensor:
        return self._apply("radd", other)

    def __sub__(self, other: Any) -> Tensor:
        return self._apply("sub", other)

    def __rsub__(self, other: Any) -> Tensor:
        return self._apply("rsub", other)

    def __mul__(self, other: Any) -> Tensor:
        return self._apply("mul", other)

    def __rmul__(self, other: Any) -> Tensor:
        return self._apply("rmul", other)

    def __truediv__(self, other: Any) -> Tensor:
        return self._apply("truediv", other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return self._apply("rtruediv", other)

    def __floordiv__(self, other: Any) -> Tensor:
        return self._apply("floordiv", other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return self._apply("rfloordiv", other)

    def __mod__(self, other: Any) -> Tensor:
        return self._apply("mod", other)

    def __rmod__(self, other: Any) -> Tensor:
        return self._apply("rmod", other)

    def __pow__(self, other: Any) -> Tensor:
        return self._apply("pow", other)

    def __rpow__(self, other: Any) -> Tensor:
        return self._apply("rpow", other)

    def __matmul__(self, other: Any) -> Tensor:
        return self._apply("matmul", other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return self._apply("rmatmul", other)

    def __lt__(self, other: Any) -> Tensor:
        return self._apply("lt", other)

    def __le__(self, other: Any) -> Tensor:
        return self._apply("le", other)

    def __gt__(self, other: Any) -> Tensor:
        return self._apply("gt", other)

    def __ge__(self, other: Any) -> Tensor:
        return self._apply("ge", other)

    def __and__(self, other: Any) -> Tensor:
        return self._apply("and_", other)

    def __rand__(self, other: Any) -> Tensor:
        return self._apply("rand_", other)

    def __or__(self, other: Any) -> Tensor:
        return self._apply("or_", other)

    def __ror__(self, other: Any) -> Tensor:
        return self._apply("ror_", other)

    def __xor__(self, other: Any) -> Tensor:
        return self._apply("xor", other)

    def __rxor__(self, other: Any) -> Tensor:
        return self._apply("rxor", other)

    def __getitem__(self, item: Any) -> Tensor:
        return self._apply("getitem", item)

    def __neg__(self) -> Tensor:
        return self._apply("neg")

    def __invert__(self) -> Tensor:
        return self._apply("invert")

    def __abs__(self) -> Tensor:
        return self._apply("abs")


class Reference:
    """What `ref()` of a tensor or a variable gives: equal to other references to the same object, whatever `==` does there."""

    __slots__ = ("_wrapped",)

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped

    def deref(self) -> Any:
        """The tensor or variable itself."""
        return self._wrapped

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and self._wrapped is other._wrapped

    def __hash__(self) -> int:
        return id(self._wrapped)

    def __repr__(self) -> str:
        return f"<Reference wrapping {self._wrapped!r}>"


class Tensor(Operand):
    """One of the outputs of an operation (`tf.Tensor`). Made by operations; compared by identity."""

    __slots__ = ("__dict__", "__weakref__", "_consumers", "_dtype", "_op", "_shape", "_value_index")

    def __init__(self, op: Operation, value_index: int, dtype: DType, shape: TensorShape) -> None:
        self._op = op
        self._value_index = value_index
        self._dtype = dtype
        self._shape = shape
        self._consumers: list[Operation] | None = None

    @property
    def op(self) -> Operation:
        """The operation whose output it is."""
        return self._op

    @property
    def graph(self) -> Graph:
        """The graph that it is in."""
        return self._op.graph

    @property
    def value_index(self) -> int:
        """Which of the operation's outputs it is."""
        return self._value_index

    @property
    def name(self) -> str:
        """The operation's name and the number of the output: `add:0`."""
        return f"{self._op.name}:{self._value_index}"

    @property
    def device(self) -> str:
        """The device string of its operation."""
        return self._op.device

    @property
    def dtype(self) -> DType:
        """Its element type; a reference type for a ref variable's."""
        return self._dtype

    @property
    def shape(self) -> TensorShape:
        """What is known of its shape."""
        return self._shape

    @property
    def ndim(self) -> int | None:
        """The number of its dimensions; None if that is not known."""
        return self._shape.rank

    def get_shape(self) -> TensorShape:
        """What is known of its shape."""
        return self._shape

    def set_shape(self, shape: ShapeLike) -> None:
        """Adds to what is known of its shape.

        Raises:
            ValueError: it contradicts what is known.
        """
        try:
            self._shape = self._shape.merge_with(as_shape(shape))
        except ValueError as error:
            raise ValueError(getattr(error, "in_graph", error)) from None

    def consumers(self) -> list[Operation]:
        """The operations that it is an input of; one twice, if it is two of its inputs."""
        return list(self._consumers or ())

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """Its value, computed in a session: the given one, or the default one.

        Raises:
            ValueError: there is no session, or it is one of another graph.
        """
        session = session or defaults.get_default_session()
        if session is None:
            raise ValueError(
                "Cannot evaluate tensor using `eval()`: No default session is registered. Use `with sess.as_default()` or pass an explicit "
                "session to `eval(session=sess)`"
            )
        if session.graph is not self.graph:
            raise ValueError(
                "Cannot use the default session to evaluate tensor: the tensor's graph is different from the session's graph. Pass an explicit "
                "session to `eval(session=sess)`."
            )
        return session.run(self, feed_dict)

    def ref(self) -> Reference:
        """A key that stands for the tensor in dictionaries and sets."""
        return Reference(self)

    experimental_ref = ref

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __str__(self) -> str:
        shape = "" if self._shape.rank is None else f", shape={self._shape}"
        device = f", device={self._op._device}" if self._op._device else ""
        return f'Tensor("{self.name}"{shape}, dtype={self._dtype.name}{device})'

    def __repr__(self) -> str:
        return f"<tf.Tensor '{self.name}' shape={self._shape} dtype={self._dtype.name}>"

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "Using a symbolic `tf.Tensor` as a Python `bool` is not allowed. Use `if t is not None:` to ask whether a tensor is defined, and "
            "tf.cond to choose by its value."
        )

    def __iter__(self) -> Iterator[NoReturn]:
        raise TypeError("Iterating over a symbolic `tf.Tensor` is not allowed. Use tf.unstack, or tf.map_fn.")

    def __len__(self) -> NoReturn:
        raise TypeError(
            f"len is not well defined for a symbolic Tensor ({self.name}). Please call `x.shape` rather than `len(x)` for shape information."
        )

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError(
            f"Cannot convert a symbolic tf.Tensor ({self.name}) to a numpy array. Run it in a session, and give that value to NumPy."
        )

    def __copy__(self) -> Tensor:
        return self
