"""Images resized (`tf.image.resize_images` and its relatives); `image_resizing` has the operations."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Tensor, apply, constant_value, convert_to_tensor, name_scope
from gpersist.ops.arithmetic import minimum
from gpersist.ops.casting import cast
from gpersist.ops.control import with_dependencies
from gpersist.ops.image_boxes import larger, pad_to_bounding_box
from gpersist.ops.image_checks import as_batch, check_image, hold, sizes_of
from gpersist.ops.shaping import squeeze
from gpersist.ops.unary import floor
from gpersist.ops.unary import round as rounded

__all__ = ["ResizeMethod", "resize_image_with_pad", "resize_images"]


class ResizeMethod:
    """How images are resized (`tf.image.ResizeMethod`)."""

    BILINEAR = 0
    NEAREST_NEIGHBOR = 1
    BICUBIC = 2
    AREA = 3


_OPERATIONS = {
    **dict.fromkeys((ResizeMethod.BILINEAR, "bilinear"), "ResizeBilinear"),
    **dict.fromkeys((ResizeMethod.NEAREST_NEIGHBOR, "nearest"), "ResizeNearestNeighbor"),
    **dict.fromkeys((ResizeMethod.BICUBIC, "bicubic"), "ResizeBicubic"),
    **dict.fromkeys((ResizeMethod.AREA, "area"), "ResizeArea"),
}


def resize_images(
    images: Any,
    size: Any,
    method: Any = ResizeMethod.BILINEAR,
    align_corners: bool = False,
    preserve_aspect_ratio: bool = False,
    name: str | None = None,
) -> Tensor:
    """Images resized (`tf.image.resize`); those that have the size already stay as they are.

    Args:
        images: [height, width, channels], or a batch of such.
        size: int32 [2]: height and width.
        method: of `ResizeMethod`, or "bilinear", "nearest", "bicubic", "area".
        align_corners: whether the corners' pixels keep their places.
        preserve_aspect_ratio: whether they become the largest that fits the size, rather than all of it.
        name: of the node.

    Raises:
        ValueError: the arguments don't go together.
    """
    with name_scope(name, "resize", [images, size]):
        tensor = convert_to_tensor(images, name="images")
        if tensor.shape.rank is None:
            raise ValueError("'images' contains no shape.")
        if tensor.shape.rank not in (3, 4):
            raise ValueError("'images' must have either 3 or 4 dimensions.")
        tensor, is_batch = as_batch(tensor)
        try:
            wanted = convert_to_tensor(size, "int32", name="size")
        except (TypeError, ValueError):
            raise ValueError("'size' must be a 1-D int32 Tensor") from None
        if not wanted.shape.is_compatible_with([2]):
            raise ValueError("'size' must be a 1-D Tensor of 2 elements: new_height, new_width")
        if preserve_aspect_ratio:
            wanted = _within(tensor, wanted)
        known = constant_value(wanted) if wanted.op.type == "Const" else None  # what follows from other nodes TensorFlow doesn't look at
        height, width = (None, None) if known is None else (int(number) for number in known)
        found = tensor
        if None in (height, width) or tensor.shape.as_list()[1:3] != [height, width]:
            if method not in _OPERATIONS:
                raise ValueError(f"Resize method is not implemented: {method}")
            found = apply(_OPERATIONS[method], tensor, wanted, align_corners=align_corners)
            found.set_shape([None, height, width, None])
        return found if is_batch else squeeze(found, axis=[0])


def _within(images: Tensor, size: Tensor) -> Tensor:
    """The largest size of the images' proportions within a size."""
    _, height, width, _ = sizes_of(images, 4)
    by_height = cast(size[0], "float32") / cast(height, "float32")
    by_width = cast(size[1], "float32") / cast(width, "float32")
    factor = minimum(by_height, by_width)
    scaled = [cast(rounded(factor * cast(each, "float32")), "int32") for each in (height, width)]
    return convert_to_tensor(scaled, "int32", name="size")


def resize_image_with_pad(
    image: Any, target_height: Any, target_width: Any, method: Any = ResizeMethod.BILINEAR, align_corners: bool = False
) -> Tensor:
    """Images resized to the largest of their proportions within a size, with zeros around them.

    Args:
        image: [height, width, channels], or a batch of such.
        target_height: of the result.
        target_width: of the result.
        method: as in `resize_images`.
        align_corners: as there.

    Raises:
        ValueError: a size is not positive.
    """
    with name_scope(None, "resize_image_with_pad", [image]):
        tensor, is_batch = as_batch(convert_to_tensor(image, name="image"))
        checks = check_image(tensor)
        checks += hold(target_width > 0, "target_width must be > 0.")
        checks += hold(target_height > 0, "target_height must be > 0.")
        tensor = with_dependencies(checks, tensor)
        _, *sizes, _ = sizes_of(tensor, 4)
        height, width = (cast(size, "float32") for size in sizes)
        wanted_height, wanted_width = cast(target_height, "float32"), cast(target_width, "float32")
        ratio = larger(width / wanted_width, height / wanted_height)
        exact_height, exact_width = height / ratio, width / ratio
        new_height, new_width = cast(floor(exact_height), "int32"), cast(floor(exact_width), "int32")
        margins = [(wanted_height - exact_height) / 2, (wanted_width - exact_width) / 2]
        floored = [floor(margin) for margin in margins]
        top, left = (larger(0, cast(margin, "int32")) for margin in floored)
        resized = resize_images(tensor, [new_height, new_width], method, align_corners=align_corners)
        found = pad_to_bounding_box(resized, top, left, target_height, target_width)
        sizes_of(found, 4)  # TensorFlow makes its nodes, too
        return found if is_batch else squeeze(found, axis=[0])
