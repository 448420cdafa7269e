"""TensorFlow 1's `tf`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf",
    (
        "audio autograph bitwise compat config data debugging distributions dtypes errors estimator "
        "feature_column gfile graph_io graph_util image initializers io layers linalg lite logging lookup "
        "losses manip math metrics nest nn python_io quantization queue ragged random saved_model sets signal "
        "sparse spectral strings summary test train version"
    ),
    {
        "gpersist.compat.default_graph": (
            "add_to_collection add_to_collections colocate_with container device get_collection "
            "get_collection_ref get_static_value init_scope is_symbolic_tensor is_tensor op_scope"
        ),
        "gpersist.compat.device_spec": "DeviceSpec",
        "gpersist.compat.flags": "app flags",
        "gpersist.compat.logging": "get_logger",
        "gpersist.compat.op_errors": "OpError",
        "gpersist.compat.raw_ops": "raw_ops",
        "gpersist.compat.switches": (
            "control_flow_v2_enabled disable_control_flow_v2 disable_eager_execution disable_tensor_equality "
            "disable_v2_behavior disable_v2_tensorshape enable_eager_execution enable_v2_behavior "
            "enable_v2_tensorshape executing_eagerly executing_eagerly_outside_functions"
        ),
        "gpersist.compat.text": "dimension_at_index dimension_value",
        "gpersist.compat.versions": (
            "COMPILER_VERSION GIT_VERSION GRAPH_DEF_VERSION GRAPH_DEF_VERSION_MIN_CONSUMER GRAPH_DEF_VERSION_MIN_PRODUCER VERSION __version__"
        ),
        "gpersist.dtypes": (
            "DType QUANTIZED_DTYPES as_dtype bfloat16 bool=bool_ complex128 complex64 double float16 float32 "
            "float64 half int16 int32 int64 int8 qint16 qint32 qint8 quint16 quint8 resource string uint16 uint32 "
            "uint64 uint8 variant"
        ),
        "gpersist.graph": (
            "Graph GraphKeys InteractiveSession Operation Session Tensor convert_to_tensor get_default_graph "
            "get_default_session import_graph_def make_ndarray make_tensor_proto name_scope "
            "register_tensor_conversion_function reset_default_graph"
        ),
        "gpersist.ops.accumulators": "ConditionalAccumulator ConditionalAccumulatorBase SparseConditionalAccumulator",
        "gpersist.ops.approximate_top_k": "approx_top_k",
        "gpersist.ops.argmax": "argmax argmin",
        "gpersist.ops.arithmetic": "accumulate_n add add_n atan2 maximum minimum multiply pow scalar_mul squared_difference subtract",
        "gpersist.ops.arranging": "invert_permutation matrix_transpose reverse reverse_sequence reverse_v2=reverse roll tile transpose",
        "gpersist.ops.array": (
            "batch_gather batch_to_space batch_to_space_nd bitcast boolean_mask broadcast_dynamic_shape "
            "broadcast_static_shape broadcast_to concat depth_to_space diag diag_part dynamic_partition "
            "dynamic_stitch ensure_shape expand_dims extract_image_patches eye fill gather gather_nd "
            "guarantee_const identity identity_n lin_space linspace=lin_space matrix_band_part matrix_diag "
            "matrix_diag_part matrix_set_diag meshgrid newaxis one_hot ones ones_like pad parallel_stack range "
            "rank repeat required_space_to_batch_paddings reshape scatter_nd searchsorted sequence_mask setdiff1d "
            "shape shape_n size slice space_to_batch space_to_batch_nd space_to_depth split squeeze stack "
            "stop_gradient strided_slice tensor_scatter_add=tensor_scatter_nd_add tensor_scatter_nd_add "
            "tensor_scatter_nd_max tensor_scatter_nd_min tensor_scatter_nd_sub tensor_scatter_nd_update "
            "tensor_scatter_sub=tensor_scatter_nd_sub tensor_scatter_update=tensor_scatter_nd_update unique "
            "unique_with_counts unravel_index unstack where where_v2 zeros zeros_like"
        ),
        "gpersist.ops.batch_functions": "nondifferentiable_batch_function",
        "gpersist.ops.casting": "cast to_bfloat16 to_complex128 to_complex64 to_double to_float to_int32 to_int64",
        "gpersist.ops.checks": (
            "Assert assert_equal assert_greater assert_greater_equal assert_integer assert_less assert_less_equal "
            "assert_near assert_negative assert_non_negative assert_non_positive assert_none_equal "
            "assert_positive assert_proper_iterable assert_rank assert_rank_at_least assert_rank_in "
            "assert_same_float_dtype assert_scalar assert_type is_non_decreasing is_numeric_tensor "
            "is_strictly_increasing"
        ),
        "gpersist.ops.clip": "clip_by_average_norm clip_by_global_norm clip_by_norm clip_by_value global_norm saturate_cast",
        "gpersist.ops.comparison": "equal greater greater_equal less less_equal logical_and logical_not logical_or logical_xor not_equal",
        "gpersist.ops.complex_numbers": "angle complex conj imag real",
        "gpersist.ops.compression": "decode_compressed",
        "gpersist.ops.confusion": "confusion_matrix",
        "gpersist.ops.constants": "constant placeholder placeholder_with_default",
        "gpersist.ops.contraction": "einsum tensordot",
        "gpersist.ops.control": "control_dependencies group no_op tuple=tuple_",
        "gpersist.ops.control_flow": "cond while_loop",
        "gpersist.ops.control_flow_case": "case switch_case",
        "gpersist.ops.counting": "bincount histogram_fixed_width",
        "gpersist.ops.critical_sections": "CriticalSection",
        "gpersist.ops.custom_gradient": "custom_gradient grad_pass_through",
        "gpersist.ops.decoding": "decode_csv decode_raw parse_tensor serialize_tensor",
        "gpersist.ops.decompositions": "cholesky qr self_adjoint_eig=eigh self_adjoint_eigvals=eigvalsh svd",
        "gpersist.ops.division": ("div div_no_nan divide floor_div floordiv floormod mod=floormod realdiv truediv truncatediv truncatemod"),
        "gpersist.ops.edit_distances": "edit_distance",
        "gpersist.ops.fake_quantization": (
            "fake_quant_with_min_max_args fake_quant_with_min_max_args_gradient fake_quant_with_min_max_vars "
            "fake_quant_with_min_max_vars_gradient fake_quant_with_min_max_vars_per_channel "
            "fake_quant_with_min_max_vars_per_channel_gradient"
        ),
        "gpersist.ops.fft": "fft fft2d fft3d ifft ifft2d ifft3d",
        "gpersist.ops.file_contents": "matching_files read_file write_file",
        "gpersist.ops.functional_loops": "foldl foldr map_fn scan",
        "gpersist.ops.get_variable": "create_partitioned_variables get_local_variable get_variable no_regularizer",
        "gpersist.ops.gradients": (
            "AggregationMethod NoGradient NotDifferentiable=NoGradient RegisterGradient UnconnectedGradients gradients no_gradient=NoGradient"
        ),
        "gpersist.ops.hashing": "fingerprint string_to_hash_bucket string_to_hash_bucket_fast string_to_hash_bucket_strong",
        "gpersist.ops.hessians": "hessians",
        "gpersist.ops.histogram_bins": "histogram_fixed_width_bins",
        "gpersist.ops.indexed_slices": "IndexedSlices convert_to_tensor_or_indexed_slices",
        "gpersist.ops.initializers": (
            "constant_initializer glorot_normal_initializer glorot_uniform_initializer ones_initializer "
            "orthogonal_initializer random_normal_initializer random_uniform_initializer "
            "truncated_normal_initializer uniform_unit_scaling_initializer variance_scaling_initializer "
            "zeros_initializer"
        ),
        "gpersist.ops.json_examples": "decode_json_example",
        "gpersist.ops.least_squares": "matrix_solve_ls=lstsq",
        "gpersist.ops.linear_algebra": (
            "cholesky_solve cross matmul matrix_determinant=det matrix_inverse=inv matrix_solve matrix_triangular_solve norm trace"
        ),
        "gpersist.ops.lookup": "initialize_all_tables tables_initializer",
        "gpersist.ops.math": (
            "abs acos acosh arg_max arg_min asin asinh atan atanh ceil cos cosh count_nonzero cumprod cumsum "
            "digamma erf erfc exp expm1 floor is_finite is_inf is_nan lbeta lgamma log log1p log_sigmoid negative "
            "polygamma reciprocal reduce_all reduce_any reduce_logsumexp reduce_max reduce_mean reduce_min "
            "reduce_prod reduce_sum rint round rsqrt segment_max segment_mean segment_min segment_prod "
            "segment_sum sigmoid sign sin sinh sparse_segment_mean sparse_segment_sqrt_n sparse_segment_sum sqrt "
            "square tan tanh unsorted_segment_max unsorted_segment_mean unsorted_segment_min "
            "unsorted_segment_prod unsorted_segment_sqrt_n unsorted_segment_sum zeta"
        ),
        "gpersist.ops.matrix_functions": "matrix_square_root=sqrtm",
        "gpersist.ops.morphology": "extract_volume_patches",
        "gpersist.ops.numerics": "add_check_numerics_ops check_numerics verify_tensor_all_finite=assert_all_finite",
        "gpersist.ops.parsing": ("FixedLenFeature FixedLenSequenceFeature SparseFeature VarLenFeature parse_example parse_single_example"),
        "gpersist.ops.partitioners": "fixed_size_partitioner min_max_variable_partitioner variable_axis_size_partitioner",
        "gpersist.ops.printing": "Print print",
        "gpersist.ops.python_functions": "numpy_function py_func py_function",
        "gpersist.ops.quantization": "dequantize quantize quantize_v2",
        "gpersist.ops.queues": "FIFOQueue PaddingFIFOQueue PriorityQueue QueueBase RandomShuffleQueue",
        "gpersist.ops.ragged_filling": "ragged_fill_empty_rows ragged_fill_empty_rows_grad",
        "gpersist.ops.ragged_tensor": "RaggedTensor",
        "gpersist.ops.random": "get_seed multinomial random_normal random_shuffle random_uniform set_random_seed truncated_normal",
        "gpersist.ops.random_crop": "random_crop",
        "gpersist.ops.random_gamma": "random_gamma random_poisson",
        "gpersist.ops.readers": "FixedLengthRecordReader IdentityReader ReaderBase TFRecordReader TextLineReader WholeFileReader",
        "gpersist.ops.regular_expressions": "regex_replace",
        "gpersist.ops.requantization": "quantized_concat",
        "gpersist.ops.scatter": (
            "scatter_add scatter_div scatter_max scatter_min scatter_mul scatter_nd_add scatter_nd_sub scatter_nd_update scatter_sub scatter_update"
        ),
        "gpersist.ops.sequence_parsing": "parse_single_sequence_example",
        "gpersist.ops.session_handles": "delete_session_tensor get_session_handle get_session_tensor",
        "gpersist.ops.sorting": "argsort sort",
        "gpersist.ops.sparse_arithmetic": (
            "sparse_add sparse_matmul sparse_maximum sparse_minimum sparse_reduce_max sparse_reduce_max_sparse "
            "sparse_reduce_sum sparse_reduce_sum_sparse sparse_softmax sparse_tensor_dense_matmul"
        ),
        "gpersist.ops.sparse_arranging": (
            "sparse_concat sparse_fill_empty_rows sparse_reorder sparse_reset_shape sparse_reshape sparse_retain "
            "sparse_slice sparse_split sparse_transpose"
        ),
        "gpersist.ops.sparse_conversions": "sparse_mask sparse_merge sparse_tensor_to_dense sparse_to_dense sparse_to_indicator",
        "gpersist.ops.sparse_serialization": "deserialize_many_sparse serialize_many_sparse serialize_sparse",
        "gpersist.ops.sparse_tensor": "SparseTensor SparseTensorValue convert_to_tensor_or_sparse_tensor sparse_placeholder",
        "gpersist.ops.special_functions_of_two": "betainc igamma igammac",
        "gpersist.ops.state": "batch_scatter_update count_up_to",
        "gpersist.ops.stateless_shuffle": "random_index_shuffle",
        "gpersist.ops.string_splitting": "string_split",
        "gpersist.ops.strings": (
            "as_string decode_base64 encode_base64 reduce_join string_join string_strip string_to_number substr=substr_deprecated"
        ),
        "gpersist.ops.synchronization": "VariableAggregation VariableSynchronization",
        "gpersist.ops.template": "make_template",
        "gpersist.ops.tensor_array": "TensorArray",
        "gpersist.ops.timestamps": "timestamp",
        "gpersist.ops.type_specs": (
            "IndexedSlicesSpec NoneTensorSpec RaggedTensorSpec SparseTensorSpec TensorArraySpec TensorSpec TypeSpec type_spec_from_value"
        ),
        "gpersist.ops.variable": "Variable",
        "gpersist.ops.variable_creation": ("disable_resource_variables enable_resource_variables resource_variables_enabled variable_creator_scope"),
        "gpersist.ops.variable_lists": (
            "all_variables assert_variables_initialized global_variables global_variables_initializer "
            "initialize_all_variables initialize_local_variables initialize_variables local_variables "
            "local_variables_initializer model_variables moving_average_variables report_uninitialized_variables "
            "trainable_variables variables_initializer"
        ),
        "gpersist.ops.variable_scope": "AUTO_REUSE VariableScope get_variable_scope variable_op_scope variable_scope",
        "gpersist.ops.variables": "assign assign_add assign_sub is_variable_initialized",
        "gpersist.protos": (
            "AttrValue ConfigProto Event GPUOptions GraphDef GraphOptions HistogramProto LogMessage MetaGraphDef "
            "NameAttrList NodeDef OptimizerOptions RunMetadata RunOptions SessionLog Summary SummaryMetadata "
            "TensorInfo"
        ),
        "gpersist.shapes": "Dimension TensorShape",
        "gpersist.train.module": "Module",
    },
)
