"""Shapes: of arrays and of files' tensors, and `TensorShape`, what a graph knows of a shape before it runs.

A `Shape` is a tuple of non-negative ints whose product fits in 63 bits. A `TensorShape` may lack dimensions, or all of them.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, NoReturn, SupportsIndex, TypeAlias, Union, overload

from gpersist.errors import InvalidArgumentError

Shape = tuple[int, ...]

MAX_RANK = 254
"""TensorFlow's limit (`TensorShape::MaxDimensions`)."""

MAX_ELEMENTS = 2**63 - 1


def element_count(shape: Iterable[int], what: str = "shape") -> int:
    """Multiplies out a shape that may come from a hostile file.

    Args:
        shape: dimensions.
        what: whose shape it is, for the message.

    Raises:
        InvalidArgumentError: a negative dimension, more than 254 of them, or a product (zeros left out, as TensorFlow counts) past 2**63 - 1.
    """
    dims = tuple(shape)
    if len(dims) > MAX_RANK:
        raise InvalidArgumentError(f"{what}: {len(dims)} dimensions; at most {MAX_RANK} are allowed")
    count, extent = 1, 1
    for size in dims:
        if size < 0:
            raise InvalidArgumentError(f"{what} {list(dims)}: dimension {size} is negative")
        count *= size
        extent *= size or 1
        if extent > MAX_ELEMENTS:
            raise InvalidArgumentError(f"{what} {list(dims)}: the number of elements overflows 63 bits")
    return count


def _mismatch(text: str, in_graph: str) -> ValueError:
    """The error of shapes that don't go together, and the words that inference in a graph has for it, which are others, as in TensorFlow."""
    error = ValueError(text)
    error.__dict__["in_graph"] = in_graph
    return error


class Dimension:
    """One dimension as TensorFlow 1 gives it: a number, or None where it is not known.

    Arithmetic and order with an unknown one are unknown: `Dimension(None) + 1` is `Dimension(None)`, `Dimension(None) < 4` is None.

    Attributes:
        value: the number, or None.

    Raises:
        ValueError: the number is negative.
        TypeError: it is no whole number.
    """

    __slots__ = ("value",)

    def __init__(self, value: DimensionLike) -> None:
        self.value = _dimension(value)

    def __repr__(self) -> str:
        return f"Dimension({self.value})"

    def __str__(self) -> str:
        return "?" if self.value is None else str(self.value)

    def __eq__(self, other: object) -> bool | None:  # type: ignore[override]  # None is TensorFlow's third answer
        return self._compare(other, operator.eq)

    def __ne__(self, other: object) -> bool | None:  # type: ignore[override]
        return self._compare(other, operator.ne)

    __hash__ = None  # type: ignore[assignment]  # an unknown one equals nothing, itself not either

    def __lt__(self, other: DimensionLike) -> bool | None:
        return self._compare(Dimension(other), operator.lt)

    def __le__(self, other: DimensionLike) -> bool | None:
        return self._compare(Dimension(other), operator.le)

    def __gt__(self, other: DimensionLike) -> bool | None:
        return self._compare(Dimension(other), operator.gt)

    def __ge__(self, other: DimensionLike) -> bool | None:
        return self._compare(Dimension(other), operator.ge)

    def __int__(self) -> int:
        return self.value  # type: ignore[return-value]  # int(None) raises, as it should

    def __index__(self) -> int:
        return self.value  # type: ignore[return-value]

    def __add__(self, other: DimensionLike) -> Dimension:
        return self._compute(other, operator.add)

    def __radd__(self, other: DimensionLike) -> Dimension:
        return self + other

    def __sub__(self, other: DimensionLike) -> Dimension:
        return self._compute(other, operator.sub)

    def __rsub__(self, other: DimensionLike) -> Dimension:
        return Dimension(other) - self

    def __mul__(self, other: DimensionLike) -> Dimension:
        return self._compute(other, operator.mul)

    def __rmul__(self, other: DimensionLike) -> Dimension:
        return self * other

    def __floordiv__(self, other: DimensionLike) -> Dimension:
        return self._compute(other, operator.floordiv)

    def __rfloordiv__(self, other: DimensionLike) -> Dimension:
        return Dimension(other) // self

    def __mod__(self, other: DimensionLike) -> Dimension:
        return self._compute(other, operator.mod)

    def __rmod__(self, other: DimensionLike) -> Dimension:
        return Dimension(other) % self

    def __truediv__(self, other: object) -> NoReturn:
        raise TypeError(f"unsupported operand type(s) for /: 'Dimension' and '{type(other).__name__}', please use // instead")

    def __rtruediv__(self, other: object) -> NoReturn:
        raise TypeError(f"unsupported operand type(s) for /: '{type(other).__name__}' and 'Dimension', please use // instead")

    def __reduce__(self) -> tuple[object, ...]:
        return Dimension, (self.value,)

    def is_compatible_with(self, other: DimensionLike) -> bool:
        """Whether the two could be one: equal, or one of them unknown."""
        value = _dimension(other)
        return self.value is None or value is None or self.value == value

    def assert_is_compatible_with(self, other: DimensionLike) -> None:
        """Holds that the two could be one.

        Raises:
            ValueError: they differ.
        """
        if not self.is_compatible_with(other):
            raise ValueError(f"Dimensions {self} and {other} are not compatible")

    def merge_with(self, other: DimensionLike) -> Dimension:
        """What both together say.

        Raises:
            ValueError: they differ.
        """
        if not self.is_compatible_with(other):
            raise _mismatch(f"Dimensions {self} and {other} are not compatible", f"Dimensions must be equal, but are {self} and {other}")
        return Dimension(other) if self.value is None else self

    def _compare(self, other: Any, compare: Callable[[int, int], bool]) -> bool | None:
        try:
            value = _dimension(other)
        except (TypeError, ValueError):
            return NotImplemented  # type: ignore[no-any-return]  # for the operators that call this
        return None if self.value is None or value is None else compare(self.value, value)

    def _compute(self, other: DimensionLike, compute: Callable[[int, int], int]) -> Dimension:
        try:
            value = _dimension(other)
        except (TypeError, ValueError):
            return NotImplemented  # type: ignore[no-any-return]
        return Dimension(None if self.value is None or value is None else compute(self.value, value))


DimensionLike: TypeAlias = Union[Dimension, SupportsIndex, None]  # noqa: UP007  # evaluated


def _dimension(value: DimensionLike) -> int | None:
    if value is None or (type(value) is int and value >= 0):
        return value
    if isinstance(value, Dimension):
        return value.value
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(
            f"Dimension value must be integer or None or have an __index__ method, got value '{value!r}' with type '{type(value)!r}'"
        ) from None
    if number < 0:
        raise ValueError(f"Dimension {number} must be >= 0")
    return number


class TensorShape:
    """What is known of a tensor's shape: all of it, its rank and some dimensions, or nothing. Immutable.

    The face is TensorFlow 1's (`tf.TensorShape` without v2 behaviour): items are `Dimension`s.

    Args:
        dims: None for nothing known; a number for one dimension; else dimensions, None for each that is not known; or a TensorShapeProto.

    Raises:
        ValueError: a dimension is negative.
        TypeError: one is no whole number.
    """

    __slots__ = ("_dims",)

    _dims: tuple[int | None, ...] | None

    _item: ClassVar[Any] = Dimension
    """What items are: `Dimension`s, or with `enable_v2_tensorshape` plain numbers."""

    as_proto: ClassVar[Callable[..., Any]]
    """The TensorShapeProto; a function of `gpersist.graph`, which knows the message."""

    def __init__(self, dims: ShapeLike) -> None:
        if dims is None:
            self._dims = None
        elif isinstance(dims, TensorShape):
            self._dims = dims._dims
        elif hasattr(dims, "unknown_rank"):  # a TensorShapeProto
            self._dims = None if dims.unknown_rank else tuple(None if dim.size < 0 else dim.size for dim in dims.dim)
        elif isinstance(dims, Iterable):
            self._dims = tuple(map(_dimension, dims if isinstance(dims, (list, tuple)) else _dimensions_in(dims)))
        else:
            self._dims = (_dimension(dims),)

    @property
    def rank(self) -> int | None:
        """How many dimensions; None if that is not known."""
        return None if self._dims is None else len(self._dims)

    ndims = rank

    @property
    def dims(self) -> list[Dimension] | None:
        """The dimensions; None if their number is not known."""
        return None if self._dims is None else [Dimension(size) for size in self._dims]

    @property
    def sizes(self) -> tuple[int | None, ...] | None:
        """The dimensions as plain numbers; None if their number is not known."""
        return self._dims

    def as_list(self) -> list[int | None]:
        """The dimensions as plain numbers.

        Raises:
            ValueError: the rank is not known.
        """
        if self._dims is None:
            raise ValueError("as_list() is not defined on an unknown TensorShape.")
        return list(self._dims)

    def is_fully_defined(self) -> bool:
        """Whether rank and every dimension are known."""
        return self._dims is not None and None not in self._dims

    def num_elements(self) -> int | None:
        """The product of all dimensions; None if it is not known."""
        sizes: Any = self._dims
        return None if sizes is None or None in sizes else math.prod(sizes)

    def is_compatible_with(self, other: ShapeLike) -> bool:
        """Whether an array could have both shapes."""
        mine, others = self._dims, TensorShape(other)._dims
        if mine is None or others is None:
            return True
        return len(mine) == len(others) and all(a is None or b is None or a == b for a, b in zip(mine, others, strict=True))

    def assert_is_compatible_with(self, other: ShapeLike) -> None:
        """Holds that an array could have both shapes.

        Raises:
            ValueError: none could.
        """
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {other} are incompatible")

    def merge_with(self, other: ShapeLike) -> TensorShape:
        """What both together say.

        Raises:
            ValueError: they contradict each other.
        """
        found = other if isinstance(other, TensorShape) else TensorShape(other)
        if found._dims is None:
            return self
        if self._dims is None or self._dims == found._dims:
            return found
        if not self.is_compatible_with(found):
            raise _mismatch(f"Shapes {self} and {found} are not compatible", _difference(self, found))
        return TensorShape(b if a is None else a for a, b in zip(self._dims, found._dims, strict=True))

    def most_specific_compatible_shape(self, other: ShapeLike) -> TensorShape:
        """What is true of both shapes: the dimensions in which they agree."""
        mine, others = self._dims, TensorShape(other)._dims
        if mine is None or others is None or len(mine) != len(others):
            return TensorShape(None)
        return TensorShape(a if a == b else None for a, b in zip(mine, others, strict=True))

    def concatenate(self, other: ShapeLike) -> TensorShape:
        """This shape's dimensions and then the other's."""
        others = TensorShape(other)._dims
        return TensorShape(None if self._dims is None or others is None else self._dims + others)

    def with_rank(self, rank: int | None) -> TensorShape:
        """This shape, known to have so many dimensions.

        Raises:
            ValueError: it has another rank.
        """
        if rank is None:
            return self
        if self._dims is None:
            return TensorShape([None] * rank)
        if len(self._dims) != rank:
            raise _mismatch(f"Shape {self} must have rank {rank}", f"Shape must be rank {rank} but is rank {len(self._dims)}")
        return self

    def with_rank_at_least(self, rank: int) -> TensorShape:
        """This shape, held to have at least so many dimensions.

        Raises:
            ValueError: it has fewer.
        """
        if self._dims is not None and len(self._dims) < rank:
            raise _mismatch(f"Shape {self} must have rank at least {rank}", f"Shape must be at least rank {rank} but is rank {len(self._dims)}")
        return self

    def with_rank_at_most(self, rank: int) -> TensorShape:
        """This shape, held to have at most so many dimensions.

        Raises:
            ValueError: it has more.
        """
        if self._dims is not None and len(self._dims) > rank:
            raise _mismatch(f"Shape {self} must have rank at most {rank}", f"Shape must be at most rank {rank} but is rank {len(self._dims)}")
        return self

    def assert_has_rank(self, rank: int) -> None:
        """Holds that the shape could have so many dimensions.

        Raises:
            ValueError: it cannot.
        """
        if self.rank not in (None, rank):
            raise ValueError(f"Shape {self} must have rank {rank}")

    def assert_same_rank(self, other: ShapeLike) -> None:
        """Holds that both could have the same rank.

        Raises:
            ValueError: they cannot.
        """
        found = TensorShape(other)
        if self._dims is not None and found._dims is not None and len(self._dims) != len(found._dims):
            raise ValueError(f"Shapes {self} and {found} must have the same rank")

    def assert_is_fully_defined(self) -> None:
        """Holds that all is known.

        Raises:
            ValueError: something is not.
        """
        if not self.is_fully_defined():
            raise ValueError(f"Shape {self} is not fully defined")

    def __len__(self) -> int:
        if self._dims is None:
            raise ValueError("Cannot take the length of shape with unknown rank.")
        return len(self._dims)

    def __bool__(self) -> bool:
        return self._dims is not None

    __nonzero__ = __bool__

    def __iter__(self) -> Iterator[Dimension]:
        if self._dims is None:
            raise ValueError("Cannot iterate over a shape with unknown rank.")
        return map(self._item, self._dims)

    @overload
    def __getitem__(self, key: int) -> Dimension: ...
    @overload
    def __getitem__(self, key: slice) -> TensorShape: ...
    def __getitem__(self, key: int | slice) -> Dimension | TensorShape:
        if self._dims is not None:
            found: Any = list(self._dims)[key]
            found = TensorShape(found) if isinstance(key, slice) else self._item(found)
            return found  # type: ignore[no-any-return]  # an item
        if not isinstance(key, slice):
            return self._item(None)  # type: ignore[no-any-return]
        start, stop = key.start or 0, key.stop
        if key.step is not None:
            raise ValueError("Steps are not yet handled")
        is_counted = stop is not None and start >= 0 and stop >= 0
        return TensorShape([None] * max(stop - start, 0) if is_counted else None)

    def __add__(self, other: ShapeLike) -> TensorShape:
        return self.concatenate(other)

    def __radd__(self, other: ShapeLike) -> TensorShape:
        return TensorShape(other).concatenate(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TensorShape):
            return self._dims == other._dims
        try:
            return self._dims == TensorShape(other)._dims
        except (TypeError, ValueError):
            return NotImplemented

    def __hash__(self) -> int:
        return hash(self._dims)

    def __str__(self) -> str:
        if self._dims is None:
            return "<unknown>"
        sizes = [str(self._item(size)) for size in self._dims]
        return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"

    def __repr__(self) -> str:
        return f"TensorShape({self._dims if self._dims is None else list(self)})"

    def __reduce__(self) -> tuple[object, ...]:
        return TensorShape, (self._dims,)


def _dimensions_in(dims: Iterable[Any]) -> Iterator[Any]:
    for size in dims:
        if isinstance(size, str):
            raise TypeError(
                f"Failed to convert '{dims!r}' to a shape: '{size!r}'could not be converted to a dimension. A shape should either be single "
                "dimension (e.g. 10), or an iterable of dimensions (e.g. [1, 10, None])."
            )
        yield size


def in_brackets(shape: TensorShape) -> str:
    """A shape as inference in a graph writes it: `[2,?]`, `<unknown>`."""
    sizes = shape.sizes
    return "<unknown>" if sizes is None else f"[{','.join('?' if size is None else str(size) for size in sizes)}]"


def _difference(a: TensorShape, b: TensorShape) -> str:
    """How two shapes that contradict each other differ."""
    mine, others = a.sizes or (), b.sizes or ()
    if len(mine) != len(others):
        return f"Shapes must be equal rank, but are {len(mine)} and {len(others)}"
    axis = next(axis for axis, (x, y) in enumerate(zip(mine, others, strict=True)) if None not in (x, y) and x != y)
    return (
        f"Dimension {axis} in both shapes must be equal, but are {mine[axis]} and {others[axis]}. Shapes are {in_brackets(a)} and {in_brackets(b)}."
    )


ShapeLike: TypeAlias = Any
"""What `TensorShape` takes: another one, dimensions, one dimension, None, or a TensorShapeProto (which this layer does not know)."""


class _Plain:
    def __new__(cls, size: int | None) -> Any:  # a number itself
        return size


def enable_v2_tensorshape() -> None:
    """Makes items of TensorShapes plain numbers, or None, as in TensorFlow 2."""
    TensorShape._item = _Plain


def disable_v2_tensorshape() -> None:
    """Makes items of TensorShapes `Dimension`s again, as they are from the start."""
    TensorShape._item = Dimension


def unknown_shape(rank: int | None = None) -> TensorShape:
    """A shape of which nothing is known, or only its rank."""
    return TensorShape(None if rank is None else [None] * rank)


def as_shape(shape: ShapeLike) -> TensorShape:
    """The same shape as a `TensorShape`; one that is one already, as it is."""
    return shape if isinstance(shape, TensorShape) else TensorShape(shape)
