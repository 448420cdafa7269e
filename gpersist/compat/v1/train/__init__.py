"""TensorFlow 1's `tf.train`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.train",
    "experimental queue_runner",
    {
        "gpersist.protos": (
            "BytesList ClusterDef Example Feature FeatureList FeatureLists Features FloatList Int64List JobDef SaverDef SequenceExample ServerDef"
        ),
        "gpersist.train.batching": (
            "batch batch_join maybe_batch maybe_batch_join maybe_shuffle_batch maybe_shuffle_batch_join shuffle_batch shuffle_batch_join"
        ),
        "gpersist.train.checkpoint_manager": "CheckpointManager",
        "gpersist.train.checkpoint_objects": "Checkpoint",
        "gpersist.train.checkpoint_reader": "NewCheckpointReader list_variables load_checkpoint load_variable",
        "gpersist.train.checkpoint_saver_hook": "CheckpointSaverHook CheckpointSaverListener",
        "gpersist.train.checkpoint_state": (
            "checkpoint_exists generate_checkpoint_state_proto get_checkpoint_mtimes get_checkpoint_state "
            "latest_checkpoint remove_checkpoint update_checkpoint_state"
        ),
        "gpersist.train.checkpoint_utils": "checkpoints_iterator init_from_checkpoint",
        "gpersist.train.cluster": "ClusterSpec",
        "gpersist.train.coordinator": "Coordinator LooperThread",
        "gpersist.train.device_setter": "replica_device_setter",
        "gpersist.train.global_step": "assert_global_step create_global_step get_global_step get_or_create_global_step global_step",
        "gpersist.train.graph_io": "write_graph",
        "gpersist.train.input_producers": (
            "input_producer limit_epochs match_filenames_once range_input_producer slice_input_producer string_input_producer"
        ),
        "gpersist.train.learning_rate_decay": (
            "cosine_decay cosine_decay_restarts exponential_decay inverse_time_decay linear_cosine_decay "
            "natural_exp_decay noisy_linear_cosine_decay piecewise_constant "
            "piecewise_constant_decay=piecewise_constant polynomial_decay"
        ),
        "gpersist.train.logging_hooks": "LoggingTensorHook NanLossDuringTrainingError NanTensorHook StepCounterHook SummarySaverHook",
        "gpersist.train.meta_graph": "export_meta_graph import_meta_graph",
        "gpersist.train.monitored_session": (
            "ChiefSessionCreator MonitoredSession MonitoredTrainingSession SessionCreator SingularMonitoredSession WorkerSessionCreator"
        ),
        "gpersist.train.moving_averages": "ExponentialMovingAverage",
        "gpersist.train.optimizer": "Optimizer",
        "gpersist.train.optimizers": (
            "AdadeltaOptimizer AdagradDAOptimizer AdagradOptimizer AdamOptimizer FtrlOptimizer "
            "GradientDescentOptimizer MomentumOptimizer ProximalAdagradOptimizer ProximalGradientDescentOptimizer "
            "RMSPropOptimizer"
        ),
        "gpersist.train.profiler_hook": "ProfilerHook",
        "gpersist.train.queue_runner": "QueueRunner add_queue_runner start_queue_runners",
        "gpersist.train.saver": "Saver",
        "gpersist.train.scaffold": "Scaffold",
        "gpersist.train.session_manager": "SessionManager",
        "gpersist.train.session_run_hook": "SessionRunArgs SessionRunContext SessionRunHook SessionRunValues",
        "gpersist.train.step_timer": "SecondOrStepTimer",
        "gpersist.train.stopping_hooks": "FeedFnHook FinalOpsHook GlobalStepWaiterHook StopAtStepHook",
        "gpersist.train.summary_writer": "summary_iterator",
        "gpersist.train.supervisor": "Supervisor basic_train_loop",
        "gpersist.train.sync_replicas_optimizer": "SyncReplicasOptimizer",
        "gpersist.train.vocabularies": "VocabInfo",
        "gpersist.train.warm_starting": "warm_start",
    },
)
