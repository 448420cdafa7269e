"""What TensorFlow calls array operations, all of them at one place; each is in the module of its topic.

passing       identity, stop_gradient, bitcast          choosing      where, boolean_mask
shaping       shape, reshape, expand_dims, squeeze      arranging     transpose, tile, reverse, roll
filling       zeros, ones, fill                         padding       pad
joining, splitting  stack, concat, split                   sequences     range, linspace, meshgrid, repeat
indexing      slice, strided_slice, `tensor[...]`       broadcasting  broadcast_to
gathering     gather, gather_nd, one_hot                (matrix_)diagonal  diag, matrix_diag, eye
tensor_scatter  scatter_nd, tensor_scatter_nd_*         spatial       space_to_depth, space_to_batch
partitioning  dynamic_partition, dynamic_stitch         sets          unique, setdiff1d, searchsorted
"""

from gpersist.ops.arranging import invert_permutation, matrix_transpose, reverse, reverse_sequence, reverse_v2, roll, tile, transpose
from gpersist.ops.broadcasting import broadcast_dynamic_shape, broadcast_static_shape, broadcast_to, unbroadcast_to
from gpersist.ops.choosing import boolean_mask, where, where_v2
from gpersist.ops.diagonal import diag, diag_part, eye
from gpersist.ops.filling import fill, ones, ones_like, zeros, zeros_like
from gpersist.ops.gathering import batch_gather, gather, gather_nd, one_hot
from gpersist.ops.indexing import newaxis, slice, strided_slice
from gpersist.ops.joining import concat, parallel_stack, stack, unstack
from gpersist.ops.matrix_diagonal import matrix_band_part, matrix_diag, matrix_diag_part, matrix_set_diag
from gpersist.ops.padding import pad
from gpersist.ops.partitioning import dynamic_partition, dynamic_stitch
from gpersist.ops.passing import bitcast, ensure_shape, guarantee_const, identity, identity_n, stop_gradient
from gpersist.ops.sequences import lin_space, linspace, meshgrid, range, repeat, sequence_mask
from gpersist.ops.sets import searchsorted, setdiff1d, unique, unique_with_counts, unravel_index
from gpersist.ops.shaping import expand_dims, rank, reshape, shape, shape_n, shape_of, size, squeeze
from gpersist.ops.spatial import (
    batch_to_space,
    batch_to_space_nd,
    depth_to_space,
    extract_image_patches,
    required_space_to_batch_paddings,
    space_to_batch,
    space_to_batch_nd,
    space_to_depth,
)
from gpersist.ops.splitting import split
from gpersist.ops.tensor_scatter import (
    scatter_nd,
    tensor_scatter_nd_add,
    tensor_scatter_nd_max,
    tensor_scatter_nd_min,
    tensor_scatter_nd_sub,
    tensor_scatter_nd_update,
)

__all__ = [
    "batch_gather",
    "batch_to_space",
    "batch_to_space_nd",
    "bitcast",
    "boolean_mask",
    "broadcast_dynamic_shape",
    "broadcast_static_shape",
    "broadcast_to",
    "concat",
    "depth_to_space",
    "diag",
    "diag_part",
    "dynamic_partition",
    "dynamic_stitch",
    "ensure_shape",
    "expand_dims",
    "extract_image_patches",
    "eye",
    "fill",
    "gather",
    "gather_nd",
    "guarantee_const",
    "identity",
    "identity_n",
    "invert_permutation",
    "lin_space",
    "linspace",
    "matrix_band_part",
    "matrix_diag",
    "matrix_diag_part",
    "matrix_set_diag",
    "matrix_transpose",
    "meshgrid",
    "newaxis",
    "one_hot",
    "ones",
    "ones_like",
    "pad",
    "parallel_stack",
    "range",
    "rank",
    "repeat",
    "required_space_to_batch_paddings",
    "reshape",
    "reverse",
    "reverse_sequence",
    "reverse_v2",
    "roll",
    "scatter_nd",
    "searchsorted",
    "sequence_mask",
    "setdiff1d",
    "shape",
    "shape_n",
    "shape_of",
    "size",
    "slice",
    "space_to_batch",
    "space_to_batch_nd",
    "space_to_depth",
    "split",
    "squeeze",
    "stack",
    "stop_gradient",
    "strided_slice",
    "tensor_scatter_nd_add",
    "tensor_scatter_nd_max",
    "tensor_scatter_nd_min",
    "tensor_scatter_nd_sub",
    "tensor_scatter_nd_update",
    "tile",
    "transpose",
    "unbroadcast_to",
    "unique",
    "unique_with_counts",
    "unravel_index",
    "unstack",
    "where",
    "where_v2",
    "zeros",
    "zeros_like",
]
