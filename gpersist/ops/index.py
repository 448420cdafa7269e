"""In which module each operation is, or its gradient. Written by tests/compat/write_face.py."""

OPERATIONS: dict[str, str] = {
    "accumulator_ops": (
        "AccumulatorApplyGradient AccumulatorNumAccumulated AccumulatorSetGlobalStep AccumulatorTakeGradient "
        "ConditionalAccumulator ResourceAccumulatorApplyGradient ResourceAccumulatorNumAccumulated "
        "ResourceAccumulatorSetGlobalStep ResourceAccumulatorTakeGradient ResourceConditionalAccumulator "
        "SparseAccumulatorApplyGradient SparseAccumulatorTakeGradient SparseConditionalAccumulator"
    ),
    "activations": ("Elu EluGrad LeakyRelu LeakyReluGrad Relu Relu6 Relu6Grad ReluGrad Selu SeluGrad Softplus SoftplusGrad Softsign SoftsignGrad"),
    "anonymous_resources": (
        "AnonymousMutableDenseHashTable AnonymousMutableHashTable AnonymousMutableHashTableOfTensors "
        "AnonymousRandomSeedGenerator AnonymousSeedGenerator DeleteIterator DeleteRandomSeedGenerator "
        "DeleteSeedGenerator InitializeTableFromDataset IsResourceHandleRefCounting IteratorGetDevice"
    ),
    "approximate_top_k": "ApproxTopK",
    "argmax": "ArgMax ArgMin",
    "arithmetic": ("AccumulateNV2 Add AddN AddV2 Atan2 Maximum Minimum Mul MulNoNan NextAfter Pow SquaredDifference Sub Xlog1py Xlogy"),
    "arranging": "ConjugateTranspose InvertPermutation Reverse ReverseSequence ReverseV2 Roll Tile TileGrad Transpose",
    "assertions": "Assert CheckNumerics CheckNumericsV2",
    "audio": "AudioSpectrogram DecodeWav EncodeWav Mfcc",
    "banded": "BandedTriangularSolve TridiagonalMatMul TridiagonalSolve",
    "barrier_ops": "Barrier BarrierClose BarrierIncompleteSize BarrierInsertMany BarrierReadySize BarrierTakeMany",
    "batch_functions": "BatchFunction",
    "batch_linear_algebra": (
        "BatchCholesky BatchCholeskyGrad BatchFFT BatchFFT2D BatchFFT3D BatchIFFT BatchIFFT2D BatchIFFT3D "
        "BatchMatrixBandPart BatchMatrixDeterminant BatchMatrixDiag BatchMatrixDiagPart BatchMatrixInverse "
        "BatchMatrixSetDiag BatchMatrixSolve BatchMatrixSolveLs BatchMatrixTriangularSolve "
        "BatchSelfAdjointEig BatchSelfAdjointEigV2 BatchSvd SelfAdjointEig"
    ),
    "bessel": ("BesselI0 BesselI0e BesselI1 BesselI1e BesselJ0 BesselJ1 BesselK0 BesselK0e BesselK1 BesselK1e BesselY0 BesselY1"),
    "bias": "BiasAdd BiasAddGrad BiasAddV1",
    "bitwise": "BitwiseAnd BitwiseOr BitwiseXor Invert LeftShift PopulationCount RightShift",
    "broadcasting": "BroadcastArgs BroadcastTo",
    "candidate_samplers": (
        "AllCandidateSampler ComputeAccidentalHits FixedUnigramCandidateSampler "
        "LearnedUnigramCandidateSampler LogUniformCandidateSampler ThreadUnsafeUnigramCandidateSampler "
        "UniformCandidateSampler"
    ),
    "casting": "Cast",
    "choosing": "Select SelectV2 Where",
    "clip": "ClipByValue L2Loss",
    "clustering": "KMC2ChainInitialization KmeansPlusPlusInitialization NearestNeighbors",
    "combined_suppression": "CombinedNonMaxSuppression",
    "comparison": "ApproximateEqual Equal Greater GreaterEqual Less LessEqual LogicalAnd LogicalNot LogicalOr NotEqual",
    "complex_numbers": "Angle Complex ComplexAbs Conj Imag Real",
    "compression": "DecodeCompressed DecodePaddedRaw",
    "constants": "Const HostConst Placeholder PlaceholderV2 PlaceholderWithDefault",
    "contraction": "Einsum",
    "control": "Abort Merge NoOp RefMerge RefSelect RefSwitch Switch _SwitchN",
    "control_flow_gradients": "Enter Exit LoopCond Merge NextIteration RefEnter RefExit RefMerge RefNextIteration RefSwitch Switch",
    "convolution": "Conv2D Conv2DBackpropFilter Conv2DBackpropInput Conv3D Conv3DBackpropFilterV2 Conv3DBackpropInputV2",
    "counting": "Bincount Bucketize DenseBincount HistogramFixedWidth InTopK InTopKV2 NthElement TopK TopKV2",
    "csv_datasets": "CSVDataset CSVDatasetV2 ExperimentalCSVDataset",
    "ctc": "CTCGreedyDecoder",
    "ctc_beam_search": "CTCBeamSearchDecoder",
    "ctc_loss": "CTCLoss CTCLossV2",
    "data_formats": "DataFormatDimMap DataFormatVecPermute",
    "dataset_choice_ops": (
        "AssertCardinalityDataset DenseToSparseBatchDataset DirectedInterleaveDataset "
        "ExperimentalDenseToSparseBatchDataset ExperimentalDirectedInterleaveDataset "
        "ExperimentalIgnoreErrorsDataset ExperimentalRebatchDataset ExperimentalSlidingWindowDataset "
        "ExperimentalUniqueDataset IgnoreErrorsDataset RebatchDataset RebatchDatasetV2 SlidingWindowDataset "
        "UniqueDataset"
    ),
    "dataset_files": "FixedLengthRecordDataset FixedLengthRecordDatasetV2 TFRecordDataset TextLineDataset",
    "dataset_functions": (
        "ExperimentalMapAndBatchDataset ExperimentalParallelInterleaveDataset ExperimentalScanDataset "
        "ExperimentalTakeWhileDataset FilterDataset FlatMapDataset GeneratorDataset InterleaveDataset "
        "LegacyParallelInterleaveDatasetV2 MapAndBatchDataset MapDataset ParallelFilterDataset "
        "ParallelInterleaveDataset ParallelInterleaveDatasetV2 ParallelInterleaveDatasetV3 "
        "ParallelInterleaveDatasetV4 ParallelMapDataset ParallelMapDatasetV2 ReduceDataset ScanDataset "
        "TakeWhileDataset"
    ),
    "dataset_grouping_ops": ("ExperimentalGroupByReducerDataset ExperimentalGroupByWindowDataset GroupByReducerDataset GroupByWindowDataset"),
    "dataset_hints": (
        "AssertNextDataset BytesProducedStatsDataset ChooseFastestDataset ExperimentalAssertNextDataset "
        "ExperimentalBytesProducedStatsDataset ExperimentalChooseFastestDataset "
        "ExperimentalLatencyStatsDataset ExperimentalMaxIntraOpParallelismDataset "
        "ExperimentalNonSerializableDataset ExperimentalPrivateThreadPoolDataset "
        "ExperimentalSetStatsAggregatorDataset ExperimentalStatsAggregatorHandle "
        "ExperimentalThreadPoolDataset ExperimentalThreadPoolHandle FinalizeDataset LatencyStatsDataset "
        "MaxIntraOpParallelismDataset ModelDataset NonSerializableDataset OptimizeDataset OptimizeDatasetV2 "
        "OptionsDataset PrefetchDataset PrivateThreadPoolDataset RewriteDataset SetStatsAggregatorDataset "
        "StatsAggregatorHandle ThreadPoolDataset ThreadPoolHandle"
    ),
    "dataset_ops": (
        "BatchDataset BatchDatasetV2 CacheDataset CacheDatasetV2 ConcatenateDataset DatasetCardinality "
        "DummyMemoryCache DummySeedGenerator ExperimentalDatasetCardinality ExperimentalRandomDataset "
        "ExperimentalUnbatchDataset PaddedBatchDataset PaddedBatchDatasetV2 ParallelBatchDataset "
        "RandomDataset RangeDataset RepeatDataset ShardDataset ShuffleAndRepeatDataset "
        "ShuffleAndRepeatDatasetV2 ShuffleDataset ShuffleDatasetV2 ShuffleDatasetV3 SkipDataset TakeDataset "
        "TensorDataset TensorSliceDataset UnbatchDataset UnwrapDatasetVariant WindowDataset "
        "WrapDatasetVariant ZipDataset"
    ),
    "dataset_parsing": "ExperimentalParseExampleDataset ParseExampleDataset ParseExampleDatasetV2",
    "debug_ops": ("CopyHost DebugIdentity DebugIdentityV2 DebugIdentityV3 DebugNanCount DebugNumericSummary DebugNumericSummaryV2"),
    "decoding": "DecodeCSV DecodeRaw ParseTensor SerializeTensor",
    "decomposition_gradients": "BatchSvd Eig Qr Svd",
    "decompositions": "BatchCholesky BatchSelfAdjointEigV2 Cholesky CholeskyGrad Eig Qr SelfAdjointEigV2 Svd",
    "depthwise": "DepthwiseConv2dNative DepthwiseConv2dNativeBackpropFilter DepthwiseConv2dNativeBackpropInput",
    "diagonal": "Diag DiagPart",
    "division": "Div DivNoNan FloorDiv FloorMod Mod RealDiv TruncateDiv TruncateMod Xdivy",
    "edit_distances": "EditDistance",
    "examples": "ParseExample ParseExampleV2 ParseSingleExample",
    "fake_quantization": (
        "FakeQuantWithMinMaxArgs FakeQuantWithMinMaxArgsGradient FakeQuantWithMinMaxVars "
        "FakeQuantWithMinMaxVarsGradient FakeQuantWithMinMaxVarsPerChannel "
        "FakeQuantWithMinMaxVarsPerChannelGradient"
    ),
    "fft": (
        "BatchFFT BatchFFT2D BatchFFT3D BatchIFFT BatchIFFT2D BatchIFFT3D FFT FFT2D FFT3D IFFT IFFT2D IFFT3D IRFFT IRFFT2D IRFFT3D RFFT RFFT2D RFFT3D"
    ),
    "file_contents": "ImmutableConst MatchingFiles ReadFile WriteFile",
    "filling": "Empty Fill OnesLike ZerosLike",
    "fractional_pooling": "FractionalAvgPool FractionalAvgPoolGrad FractionalMaxPool FractionalMaxPoolGrad",
    "functional": (
        "Case DeviceIndex FakeParam For If PartitionedCall RemoteCall StatefulPartitionedCall StatelessCase StatelessIf StatelessWhile ToBool While"
    ),
    "functional_gradients": "Case If PartitionedCall StatefulPartitionedCall StatelessCase StatelessIf StatelessWhile While",
    "fused_operations": (
        "FusedPadConv2D FusedResizeAndPadConv2D _FusedBatchNormEx _FusedConv2D _FusedConv3D _FusedDepthwiseConv2dNative _FusedMatMul"
    ),
    "gathering": "Gather GatherNd GatherV2 OneHot",
    "general_convolution": "Conv",
    "generator_ops": (
        "NonDeterministicInts RngReadAndSkip RngSkip StatefulRandomBinomial StatefulStandardNormal "
        "StatefulStandardNormalV2 StatefulTruncatedNormal StatefulUniform StatefulUniformFullInt "
        "StatefulUniformInt"
    ),
    "hashing": "Fingerprint StringToHashBucket StringToHashBucketFast StringToHashBucketStrong",
    "image_colors": ("AdjustContrast AdjustContrastv2 AdjustHue AdjustSaturation DrawBoundingBoxes DrawBoundingBoxesV2 HSVToRGB RGBToHSV"),
    "image_cropping": "CropAndResize CropAndResizeGradBoxes CropAndResizeGradImage",
    "image_files": (
        "DecodeAndCropJpeg DecodeBmp DecodeGif DecodeImage DecodeJpeg DecodePng DecodeWebP EncodeJpeg "
        "EncodeJpegVariableQuality EncodePng ExtractJpegShape"
    ),
    "image_parts": "ExtractGlimpse ExtractGlimpseV2",
    "image_quantized": "QuantizedResizeBilinear",
    "image_resizing": (
        "ResizeArea ResizeBicubic ResizeBicubicGrad ResizeBilinear ResizeBilinearGrad ResizeNearestNeighbor ResizeNearestNeighborGrad"
    ),
    "image_sampling": ("RandomCrop SampleDistortedBoundingBox SampleDistortedBoundingBoxV2 StatelessSampleDistortedBoundingBox"),
    "image_warping": "ImageProjectiveTransformV2 ImageProjectiveTransformV3 ScaleAndTranslate ScaleAndTranslateGrad",
    "in_place": "InplaceAdd InplaceSub InplaceUpdate",
    "indexing": ("ResourceStridedSliceAssign Slice StridedSlice StridedSliceAssign StridedSliceGrad TensorStridedSliceUpdate"),
    "isotonic": "IsotonicRegression",
    "iterator_ops": (
        "DatasetToSingleElement Iterator IteratorFromStringHandle IteratorFromStringHandleV2 IteratorGetNext "
        "IteratorGetNextAsOptional IteratorGetNextSync IteratorToStringHandle IteratorV2 MakeIterator "
        "OneShotIterator"
    ),
    "joining": "Concat ConcatOffset ConcatV2 Pack ParallelConcat Unpack",
    "json_examples": "DecodeJSONExample",
    "least_squares": "BatchMatrixSolveLs MatrixSolveLs",
    "linear_algebra": (
        "BatchMatrixDeterminant BatchMatrixInverse BatchMatrixSolve BatchMatrixTriangularSolve Cross "
        "LogMatrixDeterminant MatrixDeterminant MatrixInverse MatrixSolve MatrixTriangularSolve"
    ),
    "list_reading": (
        "TensorListConcat TensorListConcatV2 TensorListElementShape TensorListGather TensorListGetItem "
        "TensorListLength TensorListPopBack TensorListStack"
    ),
    "lookup_ops": (
        "AnonymousHashTable HashTable HashTableV2 InitializeTable InitializeTableFromTextFile "
        "InitializeTableFromTextFileV2 InitializeTableV2 LookupTableExport LookupTableExportV2 "
        "LookupTableFind LookupTableFindV2 LookupTableImport LookupTableImportV2 LookupTableInsert "
        "LookupTableInsertV2 LookupTableRemoveV2 LookupTableSize LookupTableSizeV2 MutableDenseHashTable "
        "MutableDenseHashTableV2 MutableHashTable MutableHashTableOfTensors MutableHashTableOfTensorsV2 "
        "MutableHashTableV2"
    ),
    "loops": "Enter Exit LoopCond NextIteration RefEnter RefExit RefIdentity RefNextIteration",
    "matmul": "BatchMatMul BatchMatMulV2 BatchMatMulV3 MatMul",
    "matrix_diagonal": (
        "BatchMatrixBandPart BatchMatrixDiag BatchMatrixDiagPart BatchMatrixSetDiag MatrixBandPart MatrixDiag "
        "MatrixDiagPart MatrixDiagPartV2 MatrixDiagPartV3 MatrixDiagV2 MatrixDiagV3 MatrixSetDiag "
        "MatrixSetDiagV2 MatrixSetDiagV3"
    ),
    "matrix_functions": "Lu MatrixExponential MatrixLogarithm MatrixSquareRoot",
    "microfrontend": "AudioMicrofrontend",
    "morphology": "Dilation2D Dilation2DBackpropFilter Dilation2DBackpropInput ExtractVolumePatches",
    "mutexes": "ConsumeMutexLock MutexLock MutexV2",
    "normalization": (
        "BatchNormWithGlobalNormalization BatchNormWithGlobalNormalizationGrad FusedBatchNorm "
        "FusedBatchNormGrad FusedBatchNormGradV2 FusedBatchNormGradV3 FusedBatchNormV2 FusedBatchNormV3 LRN "
        "LRNGrad"
    ),
    "old_readers": (
        "FixedLengthRecordReader IdentityReader ReaderNumRecordsProduced ReaderNumWorkUnitsCompleted "
        "ReaderRead ReaderReadUpTo ReaderReset ReaderSerializeState TFRecordReader TextLineReader "
        "WholeFileReader"
    ),
    "old_stacks": "Stack StackClose StackPop StackPush",
    "old_tensor_arrays": (
        "TensorArray TensorArrayClose TensorArrayCloseV2 TensorArrayConcat TensorArrayConcatV2 "
        "TensorArrayGather TensorArrayGatherV2 TensorArrayGrad TensorArrayGradV2 TensorArrayPack "
        "TensorArrayRead TensorArrayReadV2 TensorArrayScatter TensorArrayScatterV2 TensorArraySize "
        "TensorArraySizeV2 TensorArraySplit TensorArraySplitV2 TensorArrayUnpack TensorArrayV2 "
        "TensorArrayWrite TensorArrayWriteV2"
    ),
    "old_volume_convolutions": "Conv3DBackpropFilter Conv3DBackpropInput",
    "optionals": "OptionalFromValue OptionalGetValue OptionalHasValue OptionalNone",
    "padding": "MirrorPad MirrorPadGrad Pad PadV2",
    "partitioning": "DynamicPartition DynamicStitch ParallelDynamicStitch",
    "passing": ("Bitcast Copy DeepCopy EnsureShape GuaranteeConst Identity IdentityN PreventGradient Snapshot StopGradient"),
    "pooling": (
        "AvgPool AvgPool3D AvgPool3DGrad AvgPoolGrad MaxPool MaxPool3D MaxPool3DGrad MaxPoolGrad "
        "MaxPoolGradGrad MaxPoolGradV2 MaxPoolGradWithArgmax MaxPoolV2 MaxPoolWithArgmax"
    ),
    "pooling_second_gradients": "MaxPool3DGradGrad MaxPoolGradGradV2",
    "printers": "Print PrintV2 StringFormat",
    "proto_messages": "DecodeProtoV2 EncodeProto",
    "python_functions": "EagerPyFunc PyFunc PyFuncStateless",
    "quantization": "Dequantize QuantizeAndDequantizeV2 QuantizeAndDequantizeV3 QuantizeV2",
    "quantized_arithmetic": ("QuantizedAdd QuantizedBiasAdd QuantizedMatMul QuantizedMul QuantizedRelu QuantizedRelu6 QuantizedReluX"),
    "quantized_fused": (
        "QuantizedConv2DAndRelu QuantizedConv2DAndReluAndRequantize QuantizedConv2DAndRequantize "
        "QuantizedConv2DPerChannel QuantizedConv2DWithBias QuantizedConv2DWithBiasAndRelu "
        "QuantizedConv2DWithBiasAndReluAndRequantize QuantizedConv2DWithBiasAndRequantize "
        "QuantizedDepthwiseConv2D QuantizedDepthwiseConv2DWithBias QuantizedDepthwiseConv2DWithBiasAndRelu "
        "QuantizedDepthwiseConv2DWithBiasAndReluAndRequantize QuantizedMatMulWithBias "
        "QuantizedMatMulWithBiasAndDequantize QuantizedMatMulWithBiasAndRelu "
        "QuantizedMatMulWithBiasAndReluAndRequantize QuantizedMatMulWithBiasAndRequantize"
    ),
    "quantized_nn": ("QuantizedAvgPool QuantizedBatchNormWithGlobalNormalization QuantizedConv2D QuantizedInstanceNorm QuantizedMaxPool"),
    "quantized_roundtrip": "QuantizeAndDequantize QuantizeAndDequantizeV4 QuantizeAndDequantizeV4Grad",
    "queue_ops": (
        "FIFOQueue FIFOQueueV2 PaddingFIFOQueue PaddingFIFOQueueV2 PriorityQueue PriorityQueueV2 QueueClose "
        "QueueCloseV2 QueueDequeue QueueDequeueMany QueueDequeueManyV2 QueueDequeueUpTo QueueDequeueUpToV2 "
        "QueueDequeueV2 QueueEnqueue QueueEnqueueMany QueueEnqueueManyV2 QueueEnqueueV2 QueueIsClosed "
        "QueueIsClosedV2 QueueSize QueueSizeV2 RandomShuffleQueue RandomShuffleQueueV2"
    ),
    "ragged_filling": "RaggedFillEmptyRows RaggedFillEmptyRowsGrad",
    "ragged_rows": "RaggedGather RaggedRange RaggedTensorToSparse RaggedTensorToTensor",
    "ragged_variants": "RaggedTensorFromVariant RaggedTensorToVariant RaggedTensorToVariantGradient",
    "random": "Multinomial RandomShuffle RandomStandardNormal RandomUniform RandomUniformInt TruncatedNormal",
    "random_gamma": "ParameterizedTruncatedNormal RandomGamma RandomPoisson RandomPoissonV2",
    "readers": (
        "FixedLengthRecordReaderV2 IdentityReaderV2 ReaderNumRecordsProducedV2 ReaderNumWorkUnitsCompletedV2 "
        "ReaderReadUpToV2 ReaderReadV2 ReaderResetV2 ReaderSerializeStateV2 TFRecordReaderV2 TextLineReaderV2 "
        "WholeFileReaderV2"
    ),
    "recurrent_cells": ("BlockLSTM BlockLSTMGrad BlockLSTMGradV2 BlockLSTMV2 GRUBlockCell GRUBlockCellGrad LSTMBlockCell LSTMBlockCellGrad"),
    "reductions": "All Any EuclideanNorm Max Mean Min Prod Sum",
    "regular_expressions": "RegexFullMatch RegexReplace StaticRegexFullMatch StaticRegexReplace",
    "requantization": (
        "QuantizeDownAndShrinkRange QuantizedConcat QuantizedConcatV2 QuantizedReshape RequantizationRange "
        "RequantizationRangePerChannel Requantize RequantizePerChannel"
    ),
    "save": ("MergeV2Checkpoints Restore RestoreSlice RestoreV2 Save SaveSlices SaveV2 ShardedFilename ShardedFilespec"),
    "scans": "Cumprod Cumsum CumulativeLogsumexp",
    "scatter": (
        "ResourceScatterAdd ResourceScatterDiv ResourceScatterMax ResourceScatterMin ResourceScatterMul "
        "ResourceScatterNdAdd ResourceScatterNdMax ResourceScatterNdMin ResourceScatterNdSub "
        "ResourceScatterNdUpdate ResourceScatterSub ResourceScatterUpdate ScatterAdd ScatterDiv ScatterMax "
        "ScatterMin ScatterMul ScatterNdAdd ScatterNdMax ScatterNdMin ScatterNdSub ScatterNdUpdate ScatterSub "
        "ScatterUpdate"
    ),
    "segments": (
        "SegmentMax SegmentMean SegmentMin SegmentProd SegmentSum UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentProd UnsortedSegmentSum"
    ),
    "sequence_examples": "ParseSequenceExample ParseSequenceExampleV2 ParseSingleSequenceExample",
    "sequences": "LinSpace Range",
    "session_handles": "DeleteSessionTensor GetSessionHandle GetSessionHandleV2 GetSessionTensor",
    "set_operations": "DenseToDenseSetOperation DenseToSparseSetOperation SetSize SparseToSparseSetOperation",
    "sets": "ListDiff LowerBound Unique UniqueV2 UniqueWithCounts UniqueWithCountsV2 UnravelIndex UpperBound",
    "shaping": "ExpandDims Rank Reshape Shape ShapeN Size Squeeze",
    "sobol": "SobolSample",
    "softmax": "LogSoftmax Softmax SoftmaxCrossEntropyWithLogits SparseSoftmaxCrossEntropyWithLogits",
    "sparse_counts": "DenseCountSparseOutput RaggedBincount RaggedCountSparseOutput SparseBincount SparseCountSparseOutput",
    "sparse_crossing": "RaggedCross SparseCross SparseCrossHashed SparseCrossV2",
    "sparse_maps": "AddManySparseToTensorsMap AddSparseToTensorsMap TakeManySparseFromTensorsMap",
    "sparse_matrices": (
        "CSRSparseMatrixComponents CSRSparseMatrixToDense CSRSparseMatrixToSparseTensor "
        "DenseToCSRSparseMatrix SparseMatrixMatMul SparseMatrixNNZ SparseMatrixSparseMatMul "
        "SparseMatrixTranspose SparseTensorToCSRSparseMatrix"
    ),
    "sparse_products": "SparseMatMul SparseTensorDenseMatMul SparseToDense",
    "sparse_reductions": "SparseReduceMax SparseReduceMaxSparse SparseReduceSum SparseReduceSumSparse SparseSoftmax",
    "sparse_segments": (
        "SparseSegmentMean SparseSegmentMeanGrad SparseSegmentMeanGradV2 SparseSegmentMeanWithNumSegments "
        "SparseSegmentSqrtN SparseSegmentSqrtNGrad SparseSegmentSqrtNGradV2 SparseSegmentSqrtNWithNumSegments "
        "SparseSegmentSum SparseSegmentSumGrad SparseSegmentSumGradV2 SparseSegmentSumWithNumSegments"
    ),
    "sparse_serialization": "DeserializeManySparse DeserializeSparse SerializeManySparse SerializeSparse",
    "sparse_structure": (
        "SparseConcat SparseFillEmptyRows SparseFillEmptyRowsGrad SparseReorder SparseReshape SparseSlice SparseSliceGrad SparseSplit"
    ),
    "sparse_sums": (
        "SparseAdd SparseAddGrad SparseDenseCwiseAdd SparseDenseCwiseDiv SparseDenseCwiseMul "
        "SparseSparseMaximum SparseSparseMinimum SparseTensorDenseAdd"
    ),
    "spatial": ("BatchToSpace BatchToSpaceND DepthToSpace ExtractImagePatches SpaceToBatch SpaceToBatchND SpaceToDepth"),
    "special_functions": "Digamma Erf Erfc Erfinv Lgamma Ndtri Polygamma Zeta",
    "special_functions_of_two": "Betainc Igamma IgammaGradA Igammac RandomGammaGrad",
    "special_integrals": "Dawsn Expint FresnelCos FresnelSin Spence",
    "splitting": "Split SplitV",
    "stacks": "ControlTrigger StackClose StackCloseV2 StackPop StackPopV2 StackPush StackPushV2 StackV2",
    "staging_ops": (
        "MapClear MapIncompleteSize MapPeek MapSize MapStage MapUnstage MapUnstageNoKey OrderedMapClear "
        "OrderedMapIncompleteSize OrderedMapPeek OrderedMapSize OrderedMapStage OrderedMapUnstage "
        "OrderedMapUnstageNoKey Stage StageClear StagePeek StageSize Unstage"
    ),
    "state": (
        "CountUpTo DestroyResourceOp DestroyTemporaryVariable DisableCopyOnRead ResourceCountUpTo ResourceGather ResourceGatherNd TemporaryVariable"
    ),
    "stateless_random": (
        "StatelessMultinomial StatelessRandomNormal StatelessRandomUniform StatelessRandomUniformFullInt "
        "StatelessRandomUniformInt StatelessTruncatedNormal"
    ),
    "stateless_random_v2": (
        "StatelessRandomBinomial StatelessRandomGammaV2 StatelessRandomGammaV3 StatelessRandomGetAlg "
        "StatelessRandomGetKeyCounter StatelessRandomGetKeyCounterAlg StatelessRandomNormalV2 "
        "StatelessRandomPoisson StatelessRandomUniformFullIntV2 StatelessRandomUniformIntV2 "
        "StatelessRandomUniformV2 StatelessTruncatedNormalV2"
    ),
    "stateless_shuffle": "RandomIndexShuffle StatelessParameterizedTruncatedNormal StatelessShuffle StochasticCastToInt",
    "string_segments": "UnsortedSegmentJoin",
    "string_splitting": "StringSplit StringSplitV2",
    "strings": ("AsString DecodeBase64 EncodeBase64 ReduceJoin StringJoin StringLength StringLower StringStrip StringToNumber StringUpper Substr"),
    "summary_ops": ("AudioSummary AudioSummaryV2 HistogramSummary ImageSummary MergeSummary ScalarSummary TensorSummary TensorSummaryV2"),
    "summary_writers": (
        "CloseSummaryWriter CreateSummaryFileWriter FlushSummaryWriter ImportEvent SummaryWriter "
        "WriteAudioSummary WriteGraphSummary WriteHistogramSummary WriteImageSummary WriteRawProtoSummary "
        "WriteScalarSummary WriteSummary"
    ),
    "suppression": (
        "NonMaxSuppression NonMaxSuppressionV2 NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5 NonMaxSuppressionWithOverlaps"
    ),
    "symbolic_gradient": "SymbolicGradient",
    "tensor_array": (
        "TensorArrayConcat TensorArrayConcatV2 TensorArrayConcatV3 TensorArrayGather TensorArrayGatherV2 "
        "TensorArrayGatherV3 TensorArrayPack TensorArrayRead TensorArrayReadV2 TensorArrayReadV3 "
        "TensorArrayScatter TensorArrayScatterV2 TensorArrayScatterV3 TensorArraySplit TensorArraySplitV2 "
        "TensorArraySplitV3 TensorArrayUnpack TensorArrayWrite TensorArrayWriteV2 TensorArrayWriteV3"
    ),
    "tensor_array_ops": (
        "TensorArray TensorArrayClose TensorArrayCloseV2 TensorArrayCloseV3 TensorArrayConcatV3 "
        "TensorArrayGatherV3 TensorArrayGrad TensorArrayGradV2 TensorArrayGradV3 TensorArrayGradWithShape "
        "TensorArrayReadV3 TensorArrayScatterV3 TensorArraySize TensorArraySizeV2 TensorArraySizeV3 "
        "TensorArraySplitV3 TensorArrayV2 TensorArrayV3 TensorArrayWriteV3"
    ),
    "tensor_list": (
        "EmptyTensorList TensorListConcatLists TensorListFromTensor TensorListPushBack TensorListReserve "
        "TensorListResize TensorListScatter TensorListScatterIntoExistingList TensorListScatterV2 "
        "TensorListSetItem TensorListSplit"
    ),
    "tensor_maps": ("EmptyTensorMap TensorMapErase TensorMapHasKey TensorMapInsert TensorMapLookup TensorMapSize TensorMapStackKeys"),
    "tensor_scatter": ("ScatterNd ScatterNdNonAliasingAdd TensorScatterAdd TensorScatterMax TensorScatterMin TensorScatterSub TensorScatterUpdate"),
    "texts": (
        "AsString DecodeBase64 DecodeCSV DecodeCompressed DecodeJSONExample DecodePaddedRaw DecodeRaw "
        "EncodeBase64 ParseExample ParseExampleV2 ParseSequenceExample ParseSequenceExampleV2 "
        "ParseSingleExample ParseSingleSequenceExample ParseTensor ReduceJoin RegexFullMatch RegexReplace "
        "StaticRegexFullMatch StaticRegexReplace StringFormat StringJoin StringLength StringLower StringSplit "
        "StringSplitV2 StringStrip StringToHashBucket StringToHashBucketFast StringToHashBucketStrong "
        "StringToNumber StringUpper Substr UnicodeTranscode"
    ),
    "timestamps": "Timestamp",
    "training": (
        "ApplyAdaMax ApplyAdadelta ApplyAdagrad ApplyAdagradDA ApplyAdagradV2 ApplyAdam ApplyAddSign "
        "ApplyCenteredRMSProp ApplyFtrl ApplyFtrlV2 ApplyGradientDescent ApplyMomentum ApplyPowerSign "
        "ApplyProximalAdagrad ApplyProximalGradientDescent ApplyRMSProp ResourceApplyAdaMax "
        "ResourceApplyAdadelta ResourceApplyAdagrad ResourceApplyAdagradDA ResourceApplyAdagradV2 "
        "ResourceApplyAdam ResourceApplyAdamWithAmsgrad ResourceApplyAddSign ResourceApplyCenteredRMSProp "
        "ResourceApplyFtrl ResourceApplyFtrlV2 ResourceApplyGradientDescent ResourceApplyKerasMomentum "
        "ResourceApplyMomentum ResourceApplyPowerSign ResourceApplyProximalAdagrad "
        "ResourceApplyProximalGradientDescent ResourceApplyRMSProp ResourceSparseApplyAdadelta "
        "ResourceSparseApplyAdagrad ResourceSparseApplyAdagradDA ResourceSparseApplyAdagradV2 "
        "ResourceSparseApplyCenteredRMSProp ResourceSparseApplyFtrl ResourceSparseApplyFtrlV2 "
        "ResourceSparseApplyKerasMomentum ResourceSparseApplyMomentum ResourceSparseApplyProximalAdagrad "
        "ResourceSparseApplyProximalGradientDescent ResourceSparseApplyRMSProp SparseApplyAdadelta "
        "SparseApplyAdagrad SparseApplyAdagradDA SparseApplyAdagradV2 SparseApplyCenteredRMSProp "
        "SparseApplyFtrl SparseApplyFtrlV2 SparseApplyMomentum SparseApplyProximalAdagrad "
        "SparseApplyProximalGradientDescent SparseApplyRMSProp"
    ),
    "trigonometry": "Acos Acosh Asin Asinh Atan Atanh Cos Cosh Sin Sinh Tan",
    "unary": ("Abs Ceil Exp Expm1 Floor Inv IsFinite IsInf IsNan Log Log1p Neg Reciprocal Rint Round Rsqrt Sigmoid Sign Sqrt Square Tanh"),
    "unary_gradients": "InvGrad ReciprocalGrad RsqrtGrad SigmoidGrad SqrtGrad TanhGrad",
    "unbroadcasting": "BroadcastGradientArgs",
    "unicode": "StringNGrams UnicodeDecode UnicodeDecodeWithOffsets UnicodeEncode UnicodeTranscode",
    "unicode_scripts": "UnicodeScript",
    "uniform_products": ("UniformQuantizedConvolution UniformQuantizedConvolutionHybrid UniformQuantizedDot UniformQuantizedDotHybrid"),
    "uniform_quantization": "UniformDequantize UniformQuantize UniformQuantizedAdd UniformQuantizedClipByValue UniformRequantize",
    "variables": (
        "Assign AssignAdd AssignAddVariableOp AssignSub AssignSubVariableOp AssignVariableOp "
        "IsVariableInitialized ReadVariableOp VarHandleOp VarIsInitializedOp Variable VariableShape "
        "VariableV2"
    ),
    "vocab_remapping": "GenerateVocabRemapping LoadAndRemapMatrix",
}
