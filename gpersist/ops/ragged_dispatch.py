"""What TensorFlow 1's functions do when they are given ragged tensors. The functions know nothing of it; `gpersist.compat.v1` hands them out through
`dispatching`."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from typing import Any

__all__: list[str] = []

_ELEMENTWISE = (
    {
        "gpersist.ops.activations": "elu leaky_relu relu relu6 selu softplus softsign swish",
        "gpersist.ops.array": "bitcast identity one_hot ones_like stop_gradient zeros_like",
        "gpersist.ops.bessel": (
            "bessel_i0 bessel_i0e bessel_i1 bessel_i1e bessel_j0 bessel_j1 bessel_k0 bessel_k0e bessel_k1 bessel_k1e bessel_y0 bessel_y1"
        ),
        "gpersist.ops.bitwise": "invert",
        "gpersist.ops.casting": "cast to_bfloat16 to_complex128 to_complex64 to_double to_float to_int32 to_int64",
        "gpersist.ops.clip": "clip_by_value saturate_cast",
        "gpersist.ops.comparison": "logical_not",
        "gpersist.ops.complex_numbers": "angle conj imag real",
        "gpersist.ops.compression": "decode_compressed",
        "gpersist.ops.dropout": "dropout",
        "gpersist.ops.hashing": "string_to_hash_bucket string_to_hash_bucket_fast string_to_hash_bucket_strong",
        "gpersist.ops.math": (
            "abs acos acosh asin asinh atan atanh ceil cos cosh digamma erf erfc erfinv exp expm1 floor is_finite is_inf is_nan lgamma log log1p "
            "log_sigmoid ndtri negative reciprocal rint round rsqrt sigmoid sign sin sinh sqrt square tan tanh"
        ),
        "gpersist.ops.numerics": "check_numerics",
        "gpersist.ops.regular_expressions": "regex_full_match regex_replace",
        "gpersist.ops.special_integrals": "dawsn expint fresnel_cos fresnel_sin spence",
        "gpersist.ops.strings": (
            "as_string decode_base64 encode_base64 string_length string_lower string_strip string_upper substr substr_deprecated"
        ),
        "gpersist.ops.unicode": "unicode_transcode",
        "gpersist.ops.unicode_scripts": "unicode_script",
        "gpersist.ops.division": "reciprocal_no_nan",
    },
    {
        "gpersist.ops.arithmetic": "add atan2 maximum minimum multiply multiply_no_nan nextafter pow squared_difference subtract xlog1py xlogy",
        "gpersist.ops.bitwise": "bitwise_and bitwise_or bitwise_xor left_shift right_shift",
        "gpersist.ops.comparison": "equal greater greater_equal less less_equal logical_and logical_or logical_xor not_equal",
        "gpersist.ops.complex_numbers": "complex",
        "gpersist.ops.division": "div div_no_nan divide floor_div floordiv floormod realdiv truediv truncatediv truncatemod xdivy",
        "gpersist.ops.math": "polygamma zeta",
        "gpersist.ops.special_functions_of_two": "igamma igammac",
    },
)
"""By module: the functions of elements, which take one tensor, or two."""

_OF_LISTS = {"gpersist.ops.arithmetic": "accumulate_n add_n", "gpersist.ops.strings": "string_join"}
"""The functions of elements that take a list of tensors."""

_REDUCTIONS = {
    "gpersist.ops.math": "reduce_all reduce_any reduce_max reduce_mean reduce_min reduce_prod reduce_std reduce_sum reduce_variance",
}

_SEGMENTS = {
    "gpersist.ops.math": (
        "unsorted_segment_max unsorted_segment_mean unsorted_segment_min unsorted_segment_prod unsorted_segment_sqrt_n unsorted_segment_sum"
    ),
}

_OWN = {
    ("gpersist.ops.arranging", "gpersist.ops.ragged_axes"): "reverse tile",
    ("gpersist.ops.array", "gpersist.ops.ragged_axes"): (
        "batch_gather concat dynamic_partition expand_dims gather gather_nd rank size squeeze stack where"
    ),
    ("gpersist.ops.math", "gpersist.ops.ragged_axes"): "cumsum",
    ("gpersist.ops.strings", "gpersist.ops.ragged_reductions"): "reduce_join",
}
"""By module, and the module that has the function of the same name and parameters for ragged tensors."""


def dispatching(function: Any, module: str, name: str) -> Any:
    """A function of TensorFlow's, as it takes ragged tensors, too; itself if it takes none, or needs nothing for them."""
    handler = _handlers().get((module, name))
    return function if handler is None else _wrapped(function, handler)


@functools.cache
def _wrapped(function: Callable[..., Any], handler: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def dispatched(*args: Any, **keywords: Any) -> Any:
        if any(map(_is_ragged, args)) or any(map(_is_ragged, keywords.values())):
            return handler(function, *args, **keywords)
        return function(*args, **keywords)

    return dispatched


def _is_ragged(value: Any) -> bool:
    from gpersist.ops.ragged_tensor import RaggedTensor  # not before a function is called: the names alone cost next to nothing

    return isinstance(value, RaggedTensor) or (isinstance(value, (list, tuple)) and any(isinstance(each, RaggedTensor) for each in value))


@functools.cache
def _handlers() -> dict[tuple[str, str], Callable[..., Any]]:
    found: dict[tuple[str, str], Callable[..., Any]] = {}

    def enter(names: dict[str, str], handler: Callable[..., Any]) -> None:
        found.update({(module, name): handler for module, text in names.items() for name in text.split()})

    for count, names in enumerate(_ELEMENTWISE, 1):
        enter(names, functools.partial(_elementwise, range(count)))
    enter(_OF_LISTS, functools.partial(_elementwise, [0]))
    enter({"gpersist.ops.embedding": "embedding_lookup"}, functools.partial(_elementwise, [1]))
    enter(_REDUCTIONS, _reduction)
    enter(_SEGMENTS, _segments)
    for (module, room), text in _OWN.items():
        for name in text.split():
            found[module, name] = functools.partial(_own, room, name)
    return found


def _elementwise(places: Sequence[int], function: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    from gpersist.ops.ragged_elementwise import applied

    return applied(function, places, args, keywords)


def _reduction(function: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    from gpersist.ops.ragged_reductions import reduced

    return reduced(function, *args, **keywords)


def _segments(function: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    from gpersist.ops.ragged_reductions import segmented

    return segmented(function, *args, **keywords)


def _own(room: str, name: str, function: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    return getattr(importlib.import_module(room), name)(*args, **keywords)
