"""Images in other types of numbers (`tf.image.convert_image_dtype`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpersist.dtypes import as_dtype
from gpersist.graph import Tensor, convert_to_tensor, name_scope
from gpersist.ops.arithmetic import multiply
from gpersist.ops.casting import cast
from gpersist.ops.clip import saturate_cast
from gpersist.ops.division import floordiv
from gpersist.ops.passing import identity

__all__ = ["convert_image_dtype"]


def convert_image_dtype(image: Any, dtype: Any, saturate: bool = False, name: str | None = None) -> Tensor:
    """An image in another type of numbers: floating ones are 0..1 where integers are 0 to their largest.

    Args:
        image: numbers.
        dtype: the type wanted.
        saturate: whether numbers that it hasn't become its nearest ones.
        name: of the node.

    Raises:
        AttributeError: one of the types is of no numbers.
    """
    tensor, wanted = convert_to_tensor(image, name="image"), as_dtype(dtype)
    if not wanted.is_floating and not wanted.is_integer:
        raise AttributeError("dtype must be either floating point or integer")
    if not tensor.dtype.is_floating and not tensor.dtype.is_integer:
        raise AttributeError("image dtype must be either floating point or integer")
    if wanted == tensor.dtype:
        return identity(tensor, name=name)
    to_wanted: Callable[..., Tensor] = saturate_cast if saturate else cast
    with name_scope(name, "convert_image", [tensor]) as scope:
        if wanted.is_floating:
            if tensor.dtype.is_floating:
                return cast(tensor, wanted, name=scope)
            return multiply(cast(tensor, wanted), 1.0 / tensor.dtype.max, name=scope)
        if tensor.dtype.is_floating:
            return to_wanted(multiply(tensor, wanted.max + 0.5), wanted, name=scope)
        largest, wanted_largest = int(tensor.dtype.max), int(wanted.max)
        if largest > wanted_largest:
            return to_wanted(floordiv(tensor, (largest + 1) // (wanted_largest + 1)), wanted, name=scope)
        return multiply(to_wanted(tensor, wanted), (wanted_largest + 1) // (largest + 1), name=scope)


def adjusted_as_float(images: Tensor, adjust: Callable[[Tensor], Tensor], *, saturate: bool = False) -> Tensor:
    """What a function makes of images in floating numbers, in the type that they have."""
    wanted = images.dtype
    floats = images if wanted.name in ("float16", "float32") else convert_image_dtype(images, "float32")
    return convert_image_dtype(adjust(floats), wanted, saturate=saturate)
