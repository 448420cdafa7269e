"""Parts of images, and images in larger ones (`tf.image.crop_to_bounding_box` and its relatives)."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Tensor, constant_value, convert_to_tensor, name_scope
from gpersist.ops.arithmetic import maximum, minimum
from gpersist.ops.casting import cast
from gpersist.ops.comparison import equal, logical_or
from gpersist.ops.control import with_dependencies
from gpersist.ops.image_checks import as_batch, check_image, checked_image, hold, is_tensor, sizes_of
from gpersist.ops.indexing import slice as sliced
from gpersist.ops.joining import stack
from gpersist.ops.padding import pad
from gpersist.ops.shaping import reshape, squeeze
from gpersist.ops.shaping import shape as shape_of

__all__ = ["central_crop", "crop_to_bounding_box", "pad_to_bounding_box", "resize_image_with_crop_or_pad"]


def central_crop(image: Any, central_fraction: Any) -> Tensor:
    """The middle part of images, so much of their height and of their width.

    Args:
        image: [height, width, channels], or a batch of such.
        central_fraction: in (0, 1]; may be a tensor.

    Raises:
        ValueError: it is outside of that, or the image has another number of dimensions.
    """
    with name_scope(None, "central_crop", [image]):
        tensor = convert_to_tensor(image, name="image")
        known = constant_value(central_fraction) if is_tensor(central_fraction) else central_fraction
        if known is None:
            checks = hold(logical_or(central_fraction > 0.0, central_fraction <= 1.0), "central_fraction must be within (0, 1]")
            tensor = with_dependencies(checks, tensor)
        elif known <= 0.0 or known > 1.0:
            raise ValueError("central_fraction must be within (0, 1]")
        elif known == 1.0:
            return tensor
        checked_image(tensor)
        rank = tensor.shape.rank
        if rank not in (3, 4):
            raise ValueError(f"`image` should either be a Tensor with rank = 3 or rank = 4. Had rank = {rank}.")
        sizes = [_size(tensor, axis) for axis in (rank - 3, rank - 2)]
        places = [_central_place(size, known, central_fraction) for size in sizes]
        starts = [start for start, _ in places]
        extents = [size - start * 2 for size, start in zip(sizes, starts, strict=True)]
        begin, size = stack([*[0] * (rank - 3), *starts, 0]), stack([*[-1] * (rank - 3), *extents, -1])
        found = sliced(tensor, begin, size)
        inner = [None if is_dynamic else extent for (_, is_dynamic), extent in zip(places, extents, strict=True)]
        outer = tensor.shape.as_list()
        found.set_shape([*outer[: rank - 3], *inner, outer[-1]])
        return found


def _size(image: Tensor, axis: int) -> Any:
    known = image.shape.as_list()[axis]
    return shape_of(image)[axis] if known is None else known


def _central_place(size: Any, known: Any, fraction: Any) -> tuple[Any, bool]:
    """Where the middle part of an axis begins, and whether that is known only when the graph runs."""
    if not is_tensor(size) and known is not None:
        return int((float(size) - float(size) * known) / 2), False
    wide = cast(size, "float64")
    return cast((wide - wide * cast(fraction, "float64")) / 2, "int32"), True


def pad_to_bounding_box(image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any) -> Tensor:
    """Images with zeros around them.

    Args:
        image: [height, width, channels], or a batch of such.
        offset_height: rows of zeros above it.
        offset_width: columns of zeros left of it.
        target_height: of the result.
        target_width: of the result.

    Raises:
        ValueError: the image doesn't fit there.
    """
    with name_scope(None, "pad_to_bounding_box", [image]):
        tensor, is_batch = as_batch(convert_to_tensor(image, name="image"))
        batch, height, width, depth = sizes_of(tensor, 4)
        right, below = target_width - offset_width - width, target_height - offset_height - height
        checks = check_image(tensor)
        checks += hold(offset_height >= 0, "offset_height must be >= 0")
        checks += hold(offset_width >= 0, "offset_width must be >= 0")
        checks += hold(right >= 0, "width must be <= target - offset")
        checks += hold(below >= 0, "height must be <= target - offset")
        tensor = with_dependencies(checks, tensor)
        found = pad(tensor, reshape(stack([0, 0, offset_height, below, offset_width, right, 0, 0]), [4, 2]))
        found.set_shape([None if is_tensor(size) else size for size in (batch, target_height, target_width, depth)])
        return found if is_batch else squeeze(found, axis=[0])


def crop_to_bounding_box(image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any) -> Tensor:
    """A part of images.

    Args:
        image: [height, width, channels], or a batch of such.
        offset_height: its first row.
        offset_width: its first column.
        target_height: of the result.
        target_width: of the result.

    Raises:
        ValueError: it is not within the image.
    """
    with name_scope(None, "crop_to_bounding_box", [image]):
        tensor, is_batch = as_batch(convert_to_tensor(image, name="image"))
        checks = check_image(tensor)
        batch, height, width, depth = sizes_of(tensor, 4)
        checks += hold(offset_width >= 0, "offset_width must be >= 0.")
        checks += hold(offset_height >= 0, "offset_height must be >= 0.")
        checks += hold(target_width > 0, "target_width must be > 0.")
        checks += hold(target_height > 0, "target_height must be > 0.")
        checks += hold(width >= target_width + offset_width, "width must be >= target + offset.")
        checks += hold(height >= target_height + offset_height, "height must be >= target + offset.")
        tensor = with_dependencies(checks, tensor)
        begin = stack([0, offset_height, offset_width, 0])
        found = sliced(tensor, begin, stack([shape_of(tensor)[0], target_height, target_width, shape_of(tensor)[3]]))
        found.set_shape([None if is_tensor(size) else size for size in (batch, target_height, target_width, depth)])
        return found if is_batch else squeeze(found, axis=[0])


def resize_image_with_crop_or_pad(image: Any, target_height: Any, target_width: Any) -> Tensor:
    """Images of a given size: their middle part, or with zeros around them (`tf.image.resize_with_crop_or_pad`).

    Args:
        image: [height, width, channels], or a batch of such.
        target_height: of the result.
        target_width: of the result.

    Raises:
        ValueError: a size is not positive.
    """
    with name_scope(None, "resize_image_with_crop_or_pad", [image]):
        tensor, is_batch = as_batch(convert_to_tensor(image, name="image"))
        checks = check_image(tensor)
        checks += hold(target_width > 0, "target_width must be > 0.")
        checks += hold(target_height > 0, "target_height must be > 0.")
        tensor = with_dependencies(checks, tensor)
        if is_tensor(target_height):
            target_height = with_dependencies(checks, target_height)
        if is_tensor(target_width):
            target_width = with_dependencies(checks, target_width)
        _, height, width, _ = sizes_of(tensor, 4)
        wider = target_width - width
        crop_left, pad_left = larger(-wider // 2, 0), larger(wider // 2, 0)
        higher = target_height - height
        crop_top, pad_top = larger(-higher // 2, 0), larger(higher // 2, 0)
        cropped = crop_to_bounding_box(tensor, crop_top, crop_left, _smaller(target_height, height), _smaller(target_width, width))
        found = pad_to_bounding_box(cropped, pad_top, pad_left, target_height, target_width)
        _, found_height, found_width, _ = sizes_of(found, 4)
        checks = hold(_same(found_height, target_height), "resized height is not correct.")
        checks += hold(_same(found_width, target_width), "resized width is not correct.")
        found = with_dependencies(checks, found)
        return found if is_batch else squeeze(found, axis=[0])


def larger(x: Any, y: Any) -> Any:
    """The larger of two numbers, of which some may be tensors."""
    return maximum(x, y) if is_tensor(x) or is_tensor(y) else max(x, y)


def _smaller(x: Any, y: Any) -> Any:
    return minimum(x, y) if is_tensor(x) or is_tensor(y) else min(x, y)


def _same(x: Any, y: Any) -> Any:
    return equal(x, y) if is_tensor(x) or is_tensor(y) else x == y
