"""TensorFlow 1's `tf.nn`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.nn",
    "rnn_cell",
    {
        "gpersist.ops.activations": "crelu elu leaky_relu relu relu6 selu silu=swish softplus softsign swish",
        "gpersist.ops.approximate_top_k": "approx_max_k approx_min_k",
        "gpersist.ops.array": "depth_to_space space_to_batch space_to_depth",
        "gpersist.ops.bias": "bias_add",
        "gpersist.ops.candidate_samplers": (
            "all_candidate_sampler compute_accidental_hits fixed_unigram_candidate_sampler "
            "learned_unigram_candidate_sampler log_uniform_candidate_sampler uniform_candidate_sampler"
        ),
        "gpersist.ops.clip": "l2_loss l2_normalize",
        "gpersist.ops.convolutions": (
            "atrous_conv2d atrous_conv2d_transpose conv1d conv1d_transpose conv2d conv2d_backprop_filter "
            "conv2d_backprop_input conv2d_transpose conv3d conv3d_backprop_filter "
            "conv3d_backprop_filter_v2=conv3d_backprop_filter conv3d_transpose conv_transpose convolution"
        ),
        "gpersist.ops.counting": "in_top_k top_k",
        "gpersist.ops.cross_entropy": (
            "log_poisson_loss sigmoid_cross_entropy_with_logits softmax_cross_entropy_with_logits "
            "softmax_cross_entropy_with_logits_v2 sparse_softmax_cross_entropy_with_logits "
            "weighted_cross_entropy_with_logits"
        ),
        "gpersist.ops.ctc": "ctc_greedy_decoder",
        "gpersist.ops.ctc_beam_search": "ctc_beam_search_decoder ctc_beam_search_decoder_v2",
        "gpersist.ops.ctc_labels": "collapse_repeated ctc_unique_labels",
        "gpersist.ops.ctc_loss": "ctc_loss",
        "gpersist.ops.depthwise_convolutions": (
            "depthwise_conv2d depthwise_conv2d_backprop_filter depthwise_conv2d_backprop_input "
            "depthwise_conv2d_native depthwise_conv2d_native_backprop_filter=depthwise_conv2d_backprop_filter "
            "depthwise_conv2d_native_backprop_input=depthwise_conv2d_backprop_input separable_conv2d"
        ),
        "gpersist.ops.dropout": "dropout relu_layer xw_plus_b",
        "gpersist.ops.embedding": "embedding_lookup embedding_lookup_sparse",
        "gpersist.ops.fractional_pooling": "fractional_avg_pool fractional_max_pool",
        "gpersist.ops.math": "sigmoid tanh",
        "gpersist.ops.moments": (
            "batch_norm_with_global_normalization batch_normalization fused_batch_norm "
            "local_response_normalization lrn=local_response_normalization moments normalize_moments "
            "sufficient_statistics weighted_moments"
        ),
        "gpersist.ops.morphology": "dilation2d erosion2d",
        "gpersist.ops.pools": (
            "avg_pool avg_pool1d avg_pool2d=avg_pool avg_pool3d max_pool max_pool1d max_pool2d max_pool3d max_pool_v2 max_pool_with_argmax pool"
        ),
        "gpersist.ops.quantized_nn": "quantized_avg_pool quantized_conv2d quantized_max_pool quantized_relu_x",
        "gpersist.ops.rnn": "bidirectional_dynamic_rnn dynamic_rnn raw_rnn",
        "gpersist.ops.safe_embedding": "safe_embedding_lookup_sparse",
        "gpersist.ops.sampled_losses": "nce_loss sampled_softmax_loss",
        "gpersist.ops.softmax": "log_softmax softmax",
        "gpersist.ops.static_rnn": "static_bidirectional_rnn static_rnn static_state_saving_rnn",
        "gpersist.ops.zero_fraction": "zero_fraction",
    },
)
