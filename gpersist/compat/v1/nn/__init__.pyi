"""TensorFlow 1's `tf.nn`. Written by tests/compat/write_face.py."""

from gpersist.compat.v1.nn import rnn_cell as rnn_cell
from gpersist.ops.activations import (
    crelu,
    elu,
    leaky_relu,
    relu,
    relu6,
    selu,
    softplus,
    softsign,
    swish,
)
from gpersist.ops.activations import (
    swish as silu,
)
from gpersist.ops.approximate_top_k import (
    approx_max_k,
    approx_min_k,
)
from gpersist.ops.array import (
    depth_to_space,
    space_to_batch,
    space_to_depth,
)
from gpersist.ops.bias import (
    bias_add,
)
from gpersist.ops.candidate_samplers import (
    all_candidate_sampler,
    compute_accidental_hits,
    fixed_unigram_candidate_sampler,
    learned_unigram_candidate_sampler,
    log_uniform_candidate_sampler,
    uniform_candidate_sampler,
)
from gpersist.ops.clip import (
    l2_loss,
    l2_normalize,
)
from gpersist.ops.convolutions import (
    atrous_conv2d,
    atrous_conv2d_transpose,
    conv1d,
    conv1d_transpose,
    conv2d,
    conv2d_backprop_filter,
    conv2d_backprop_input,
    conv2d_transpose,
    conv3d,
    conv3d_backprop_filter,
    conv3d_transpose,
    conv_transpose,
    convolution,
)
from gpersist.ops.convolutions import (
    conv3d_backprop_filter as conv3d_backprop_filter_v2,
)
from gpersist.ops.counting import (
    in_top_k,
    top_k,
)
from gpersist.ops.cross_entropy import (
    log_poisson_loss,
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits_v2,
    sparse_softmax_cross_entropy_with_logits,
    weighted_cross_entropy_with_logits,
)
from gpersist.ops.ctc import (
    ctc_greedy_decoder,
)
from gpersist.ops.ctc_beam_search import (
    ctc_beam_search_decoder,
    ctc_beam_search_decoder_v2,
)
from gpersist.ops.ctc_labels import (
    collapse_repeated,
    ctc_unique_labels,
)
from gpersist.ops.ctc_loss import (
    ctc_loss,
)
from gpersist.ops.depthwise_convolutions import (
    depthwise_conv2d,
    depthwise_conv2d_backprop_filter,
    depthwise_conv2d_backprop_input,
    depthwise_conv2d_native,
    separable_conv2d,
)
from gpersist.ops.depthwise_convolutions import (
    depthwise_conv2d_backprop_filter as depthwise_conv2d_native_backprop_filter,
)
from gpersist.ops.depthwise_convolutions import (
    depthwise_conv2d_backprop_input as depthwise_conv2d_native_backprop_input,
)
from gpersist.ops.dropout import (
    dropout,
    relu_layer,
    xw_plus_b,
)
from gpersist.ops.embedding import (
    embedding_lookup,
    embedding_lookup_sparse,
)
from gpersist.ops.fractional_pooling import (
    fractional_avg_pool,
    fractional_max_pool,
)
from gpersist.ops.math import (
    sigmoid,
    tanh,
)
from gpersist.ops.moments import (
    batch_norm_with_global_normalization,
    batch_normalization,
    fused_batch_norm,
    local_response_normalization,
    moments,
    normalize_moments,
    sufficient_statistics,
    weighted_moments,
)
from gpersist.ops.moments import (
    local_response_normalization as lrn,
)
from gpersist.ops.morphology import (
    dilation2d,
    erosion2d,
)
from gpersist.ops.pools import (
    avg_pool,
    avg_pool1d,
    avg_pool3d,
    max_pool,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    max_pool_v2,
    max_pool_with_argmax,
    pool,
)
from gpersist.ops.pools import (
    avg_pool as avg_pool2d,
)
from gpersist.ops.quantized_nn import (
    quantized_avg_pool,
    quantized_conv2d,
    quantized_max_pool,
    quantized_relu_x,
)
from gpersist.ops.rnn import (
    bidirectional_dynamic_rnn,
    dynamic_rnn,
    raw_rnn,
)
from gpersist.ops.safe_embedding import (
    safe_embedding_lookup_sparse,
)
from gpersist.ops.sampled_losses import (
    nce_loss,
    sampled_softmax_loss,
)
from gpersist.ops.softmax import (
    log_softmax,
    softmax,
)
from gpersist.ops.static_rnn import (
    static_bidirectional_rnn,
    static_rnn,
    static_state_saving_rnn,
)
from gpersist.ops.zero_fraction import (
    zero_fraction,
)

__all__ = [
    "all_candidate_sampler",
    "approx_max_k",
    "approx_min_k",
    "atrous_conv2d",
    "atrous_conv2d_transpose",
    "avg_pool",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm_with_global_normalization",
    "batch_normalization",
    "bias_add",
    "bidirectional_dynamic_rnn",
    "collapse_repeated",
    "compute_accidental_hits",
    "conv1d",
    "conv1d_transpose",
    "conv2d",
    "conv2d_backprop_filter",
    "conv2d_backprop_input",
    "conv2d_transpose",
    "conv3d",
    "conv3d_backprop_filter",
    "conv3d_backprop_filter_v2",
    "conv3d_transpose",
    "conv_transpose",
    "convolution",
    "crelu",
    "ctc_beam_search_decoder",
    "ctc_beam_search_decoder_v2",
    "ctc_greedy_decoder",
    "ctc_loss",
    "ctc_unique_labels",
    "depth_to_space",
    "depthwise_conv2d",
    "depthwise_conv2d_backprop_filter",
    "depthwise_conv2d_backprop_input",
    "depthwise_conv2d_native",
    "depthwise_conv2d_native_backprop_filter",
    "depthwise_conv2d_native_backprop_input",
    "dilation2d",
    "dropout",
    "dynamic_rnn",
    "elu",
    "embedding_lookup",
    "embedding_lookup_sparse",
    "erosion2d",
    "fixed_unigram_candidate_sampler",
    "fractional_avg_pool",
    "fractional_max_pool",
    "fused_batch_norm",
    "in_top_k",
    "l2_loss",
    "l2_normalize",
    "leaky_relu",
    "learned_unigram_candidate_sampler",
    "local_response_normalization",
    "log_poisson_loss",
    "log_softmax",
    "log_uniform_candidate_sampler",
    "lrn",
    "max_pool",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_pool_v2",
    "max_pool_with_argmax",
    "moments",
    "nce_loss",
    "normalize_moments",
    "pool",
    "quantized_avg_pool",
    "quantized_conv2d",
    "quantized_max_pool",
    "quantized_relu_x",
    "raw_rnn",
    "relu",
    "relu6",
    "relu_layer",
    "rnn_cell",
    "safe_embedding_lookup_sparse",
    "sampled_softmax_loss",
    "selu",
    "separable_conv2d",
    "sigmoid",
    "sigmoid_cross_entropy_with_logits",
    "silu",
    "softmax",
    "softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits_v2",
    "softplus",
    "softsign",
    "space_to_batch",
    "space_to_depth",
    "sparse_softmax_cross_entropy_with_logits",
    "static_bidirectional_rnn",
    "static_rnn",
    "static_state_saving_rnn",
    "sufficient_statistics",
    "swish",
    "tanh",
    "top_k",
    "uniform_candidate_sampler",
    "weighted_cross_entropy_with_logits",
    "weighted_moments",
    "xw_plus_b",
    "zero_fraction",
]
