"""Sums of products over axes that have letters or numbers: einsum and tensordot."""

from __future__ import annotations

import builtins
import math
import re
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.graph import Operation, OpType, Tensor, apply, apply_op, convert_to_tensor, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.arranging import transpose
from gpersist.ops.choosing import where
from gpersist.ops.complex_numbers import conj
from gpersist.ops.filling import ones, zeros_like
from gpersist.ops.gathering import gather
from gpersist.ops.joining import concat, stack
from gpersist.ops.matmul import matmul
from gpersist.ops.reductions import reduce_prod, reduce_sum
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import rank, reshape, shape_of
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["einsum", "polyval", "tensordot"]

_ELLIPSIS = "..."


class Einsum(OpType):
    """A sum of products, by Einstein's convention: `ij,jk->ik` is the product of two matrices."""

    inputs = "inputs: N * T"
    outputs = "output: T"
    attrs = "equation: string, N: int >= 1, T: type"
    samples = (
        sample(["float[2,3]", "float[3,4]"], equation="ij,jk->ik"),
        sample(["double[2,3,4]", "double[2,4,5]"], equation="bij,bjk->bki"),
        sample(["double[2,3]"], equation="ij->ji"),
        sample(["double[2,3]"], equation="ij->j"),
        sample(["double[3]", "double[2]"], equation="i,j->ij"),
        sample(["double[2,3,4]", "double[4,5]"], equation="...i,ij->...j"),
        sample(["double[2,1,3,4]", "double[5,4,2]"], equation="...ij,...jk->...ik"),
        sample(["double[2,3]", "double[3,4]"], equation="ij,kl->ik"),
        sample(["double[3,3]"], equation="ii->i"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        terms, output = _parts(op)
        if len(terms) != len(op._inputs):
            raise ValueError(f"Expected {len(op._inputs)} inputs for equation {op.attr('equation').decode()} but got: {len(terms)}")
        letters: dict[str, TensorShape] = {}
        batch, is_batch_known = TensorShape([]), True
        for term, tensor in zip(terms, op._inputs, strict=True):
            sizes = tensor.shape.sizes
            before, has_ellipsis, after = term.partition(_ELLIPSIS)
            if sizes is None:
                is_batch_known = is_batch_known and not has_ellipsis
                continue
            named = len(before) + len(after)
            if len(sizes) < named or (len(sizes) > named and not has_ellipsis):
                raise ValueError(f"Expected input of rank {named}{' or more' if has_ellipsis else ''} for {term!r} but got shape {tensor.shape}")
            end = len(sizes) - len(after)
            batch = shape_functions.broadcast_shapes(batch, TensorShape(sizes[len(before) : end]))
            for letter, size in (*zip(before, sizes, strict=False), *zip(after, sizes[end:], strict=True)):
                letters[letter] = letters.get(letter, TensorShape([None])).merge_with(TensorShape([size]))
        before, has_ellipsis, after = output.partition(_ELLIPSIS)
        if has_ellipsis and not is_batch_known:
            return [unknown_shape()]
        letter_sizes = {letter: shape.sizes[0] for letter, shape in letters.items() if shape.sizes}
        middle = batch.as_list() if has_ellipsis else []
        return [TensorShape([*map(letter_sizes.get, before), *middle, *map(letter_sizes.get, after)])]

    @staticmethod
    def run(xp: Any, values: list[Array], *, equation: bytes) -> Array:
        text = equation.decode().replace(" ", "")
        if values[0].dtype.itemsize == 2 and values[0].dtype.kind not in "iu":  # NumPy adds halves up as halves, and knows no bfloat16
            wide = Einsum.run(xp, [value.astype(np.float32) for value in values], equation=equation)
            return wide.astype(values[0].dtype)
        if xp is np:
            return np.asarray(np.einsum(text, *values, optimize=len(values) > 1), dtype=values[0].dtype)
        return xp.einsum(text, *values).astype(values[0].dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        terms, output = _parts(op)
        if len(op.inputs) == 1:
            return [_gradient_of(grad, [], terms[0], [], output, op.inputs[0])]
        if len(op.inputs) > 2:
            raise NotImplementedError(f"the gradient of an Einsum of {len(op.inputs)} tensors: tf.einsum makes it of pairs")
        shapes = [shape_of(tensor) for tensor in op.inputs]
        if _ELLIPSIS in output:
            terms = [term if _ELLIPSIS in term else term + _ELLIPSIS for term in terms]
        values = [conj(tensor) if grad.dtype.is_complex else tensor for tensor in op.inputs]
        grads = [_gradient_of(grad, [values[1 - place]], terms[place], [terms[1 - place]], output, op.inputs[place]) for place in (0, 1)]
        return _unbroadcast(op, terms, shapes, grads) if _ELLIPSIS in output else list(grads)


def _parts(op: Operation) -> tuple[list[str], str]:
    text = op.attr("equation").decode().replace(" ", "")
    inputs, arrow, output = text.partition("->")
    if not arrow or any(letter not in inputs for letter in output):
        raise ValueError(f"Invalid einsum equation {text!r}: expected letters for each input, '->', and those of them that the output has")
    return inputs.split(","), output


def _gradient_of(grad: Tensor, others: list[Tensor], term: str, other_terms: list[str], output: str, value: Tensor) -> Tensor:
    """With respect to one input, which letters of its own alone were summed over: it is the same all along those."""
    known = set(output).union(*other_terms)
    alone = "".join(dict.fromkeys(letter for letter in term if letter not in known and letter != "."))
    left = "".join(letter for letter in term if letter not in alone)
    distinct = "".join(dict.fromkeys(left)) if _ELLIPSIS not in left else left
    if others or distinct != output:
        grad = apply("Einsum", [grad, *others], equation=f"{','.join([output, *other_terms])}->{distinct}")
    if not alone and distinct == term:
        return grad
    if alone:
        shape = shape_of(value)
        axes = [_axis(term, letter) for letter in alone]
        sizes = stack([shape[axis] for axis in axes])
        inner = shape_of(grad)
        grad = apply("BroadcastTo", reshape(grad, concat([ones([len(axes)], "int32"), inner], 0)), concat([sizes, inner], 0))
    if len(set(term.replace(_ELLIPSIS, ""))) == len(term.replace(_ELLIPSIS, "")):
        return apply("Einsum", [grad], equation=f"{alone}{distinct}->{term}")
    return _on_diagonal(grad, alone + distinct, term, value)


def _axis(term: str, letter: str) -> int:
    before, _, after = term.partition(_ELLIPSIS)
    return before.index(letter) if letter in before else after.index(letter) - len(after)


def _on_diagonal(grad: Tensor, have: str, term: str, value: Tensor) -> Tensor:
    """A gradient put on the diagonals of repeated letters, zero elsewhere."""
    if _ELLIPSIS in term:
        raise NotImplementedError(f"the gradient of an Einsum with repeated letters beside an ellipsis: {term!r}")
    spare = iter(letter for letter in map(chr, builtins.range(ord("A"), ord("Z"))) if letter not in term + have)
    apart, masks, seen = "", [], set[str]()
    shape = shape_of(value)
    for axis, letter in enumerate(term):
        if letter not in seen:
            seen.add(letter)
            apart += letter
            continue
        twin = next(spare)
        apart += twin
        places = number_range(shape[axis])
        masks.append((letter + twin, apply("Cast", apply("Equal", reshape(places, [-1, 1]), places), DstT=grad.dtype)))
    for letters, mask in masks:
        grad = apply("Einsum", [grad, mask], equation=f"{have},{letters}->{have}{letters[1]}")
        have += letters[1]
    return apply("Einsum", [grad], equation=f"{have}->{apart}")


def _unbroadcast(op: Operation, terms: list[str], shapes: list[Tensor], grads: list[Tensor]) -> list[Tensor | None]:
    """Gradients summed over the axes of the ellipsis that were broadcast."""
    places = []
    for term in terms:
        before, _, after = term.partition(_ELLIPSIS)
        places.append(slice(len(before), -len(after) if after else None))
    static = [tensor.shape for tensor in op.inputs]
    if all(shape.is_fully_defined() for shape in static) and static[0][places[0]] == static[1][places[1]]:
        return list(grads)
    axes = apply_op("BroadcastGradientArgs", *(shape[place] for shape, place in zip(shapes, places, strict=True))).outputs
    return [reshape(reduce_sum(grad, place.start + axis), shape) for grad, place, axis, shape in zip(grads, places, axes, shapes, strict=True)]


def einsum(equation: str, *inputs: Any, name: str | None = None, optimize: str = "greedy") -> Tensor:
    """A sum of products, by Einstein's convention (`tf.einsum`).

    Args:
        equation: letters for the axes of each input, between commas, and after `->` those of the output; without, the letters that come once.
        inputs: tensors.
        name: of the scope.
        optimize: not used: more than two inputs are taken in pairs from the left.

    Raises:
        ValueError: the equation doesn't fit the inputs.
    """
    with name_scope(name, "einsum", [equation, *inputs]):
        tensors = [convert_to_tensor(value) for value in inputs]
        terms, output = _complete(equation, tensors)
        while len(tensors) > 2:
            needed = set(output).union(*terms[2:])
            letters = [letter for letter in dict.fromkeys((terms[0] + terms[1]).replace(_ELLIPSIS, "")) if letter in needed]
            joined = (_ELLIPSIS if _ELLIPSIS in terms[0] + terms[1] else "") + "".join(letters)
            pair = apply("Einsum", tensors[:2], equation=f"{terms[0]},{terms[1]}->{joined}")
            tensors, terms = [pair, *tensors[2:]], [joined, *terms[2:]]
        return apply("Einsum", tensors, equation=f"{','.join(terms)}->{output}")


def _complete(equation: str, tensors: list[Tensor]) -> tuple[list[str], str]:
    text = equation.replace(" ", "")
    found = re.fullmatch(r"((?:[a-zA-Z,]|\.\.\.)*)(?:->((?:[a-zA-Z]|\.\.\.)*))?", text)
    if found is None:
        raise ValueError(f"Indices have incorrect format. Received: {equation}.")
    terms = found[1].split(",")
    if len(terms) != len(tensors):
        raise ValueError(f"Incorrect number of arguments for equation. Expected {len(terms)} arguments; got {len(tensors)}: {equation}")
    output = found[2]
    if output is None:
        letters = sorted(letter for letter in set(found[1]) - {",", "."} if found[1].count(letter) == 1)
        output = (_ELLIPSIS if _ELLIPSIS in found[1] else "") + "".join(letters)
    return terms, output


def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """The sum of products over pairs of axes (`tf.tensordot`).

    Args:
        a: a tensor.
        b: another.
        axes: how many of the last axes of `a` and the first of `b`; or two lists of axes; or a tensor of two rows.
        name: of the node.

    Raises:
        ValueError: the axes aren't there, or are not as many of one as of the other.
    """
    with name_scope(name, "Tensordot", [a, b, axes]) as scope:
        x, y = convert_to_tensor(a, name="a"), convert_to_tensor(b, name="b")
        x_axes, y_axes = _contracted(x, axes)
        left, x_free, x_sizes = _as_matrix(x, x_axes, is_flipped=False)
        right, y_free, y_sizes = _as_matrix(y, y_axes, is_flipped=True)
        product = matmul(left, right)
        if isinstance(x_free, list) and isinstance(y_free, list):
            if product.shape.is_fully_defined() and product.shape.as_list() == x_free + y_free:
                return product
            return reshape(product, np.array(x_free + y_free, np.int32), name=scope)
        free = [convert_to_tensor(part, "int32") for part in (x_free, y_free)]
        result = reshape(product, concat(free, 0), name=scope)
        if x_sizes is not None and y_sizes is not None:
            result.set_shape(x_sizes + y_sizes)
        return result


def _contracted(a: Tensor, axes: Any) -> tuple[Any, Any]:
    if isinstance(axes, (int, np.integer)):
        if axes < 0:
            raise ValueError(f"`axes` must be at least 0. Received: {axes}.")
        count = a.shape.rank
        if count is None:
            whole = rank(a)
            return number_range(whole - axes, whole, dtype="int32"), number_range(axes, dtype="int32")
        if axes > count:
            raise ValueError(
                f"`axes` must not be larger than the number of dimensions of tensor {a}.  Received {axes}, vs tensor dimensions {count}."
            )
        return list(builtins.range(count - axes, count)), list(builtins.range(axes))
    if isinstance(axes, (list, tuple)):
        if len(axes) != 2:
            raise ValueError(f"`axes` must be an integer or have length 2. Received {axes}.")
        a_axes, b_axes = ([found] if isinstance(found, (int, np.integer)) else found for found in axes)
        if len(a_axes) != len(b_axes):
            raise ValueError(f"Different number of contraction axes `a` and `b`, {len(a_axes)} != {len(b_axes)}.")
        return a_axes, b_axes
    tensor = convert_to_tensor(axes, "int32", name="axes")
    return tensor[0], tensor[1]


def _as_matrix(tensor: Tensor, axes: Any, *, is_flipped: bool) -> tuple[Tensor, Any, list[int | None] | None]:
    """A tensor as a matrix, the axes that go along one side; the sizes of the others, as numbers or as a tensor, and what is known of them."""
    sizes = tensor.shape.sizes
    if sizes is not None and isinstance(axes, (list, tuple)):
        axes = [int(axis) % len(sizes) if axis < 0 else int(axis) for axis in axes]
        free = [axis for axis in builtins.range(len(sizes)) if axis not in axes]
        order = axes + free if is_flipped else free + axes
        if tensor.shape.is_fully_defined():
            counts = [math.prod(sizes[axis] or 0 for axis in part) for part in (free, axes)]
            shape = counts[::-1] if is_flipped else counts
            moved = tensor if order == list(builtins.range(len(sizes))) else transpose(tensor, order)
            flat = moved if moved.shape.as_list() == shape else reshape(moved, np.array(shape, np.int32))
            return flat, [sizes[axis] for axis in free], [sizes[axis] for axis in free]
        known: list[int | None] | None = [sizes[axis] for axis in free]
        axes_tensor = convert_to_tensor(axes, "int32", name="axes")
        free_tensor = convert_to_tensor(free, "int32", name="free")
        shape_tensor = shape_of(tensor)
    else:
        known = None
        shape_tensor, count = shape_of(tensor), rank(tensor)
        axes_tensor = convert_to_tensor(axes, "int32", name="axes")
        axes_tensor = where(axes_tensor >= 0, axes_tensor, axes_tensor + count)
        free_tensor = apply_op("ListDiff", number_range(count), axes_tensor, out_idx="int32").outputs[0]
    free_sizes, axes_sizes = gather(shape_tensor, free_tensor), gather(shape_tensor, axes_tensor)
    counts_of = [reduce_prod(free_sizes), reduce_prod(axes_sizes)]
    parts = [free_tensor, axes_tensor]
    ordered = concat(parts[::-1] if is_flipped else parts, 0)
    shape_wanted = stack(counts_of[::-1] if is_flipped else counts_of)
    return reshape(transpose(tensor, ordered), shape_wanted), free_sizes, known


def polyval(coeffs: list[Any], x: Any, name: str | None = None) -> Tensor:
    """The polynomial of these factors, that of the highest power first (`tf.math.polyval`).

    Raises:
        ValueError: the factors are no list.
    """
    if not isinstance(coeffs, list):
        raise ValueError(f"Argument coeffs must be list type. Received type {type(coeffs)}.")
    with name_scope(name, "polyval", [*coeffs, x]) as scope:
        tensor = convert_to_tensor(x, name="x")
        if not coeffs:
            return zeros_like(tensor, name=scope)
        factors = [convert_to_tensor(factor, name=f"coeff_{index}") for index, factor in enumerate(coeffs)]
        result = factors[0]
        for factor in factors[1:]:
            result = factor + result * tensor
        return result
