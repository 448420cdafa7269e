"""Trains with a monitored session until step 200: `python -m tests.train.resumed_training FOLDER [STEP]`; kills itself right after the run of a step.

Prints the bytes of the variables at the end, in hexadecimal.
"""

from __future__ import annotations

import os
import signal
import sys

import numpy as np

import gpersist.compat.v1 as tf

LAST = 200


def main(folder: str, killed_at: int | None = None) -> None:
    generator = np.random.RandomState(1)
    x = tf.constant(generator.randn(64, 5).astype(np.float32))
    y = tf.constant(generator.randn(64, 2).astype(np.float32))
    step = tf.train.get_or_create_global_step()
    hidden = tf.nn.relu(tf.matmul(x, tf.get_variable("w", [5, 7], initializer=tf.truncated_normal_initializer(seed=3))))
    loss = tf.reduce_mean(tf.square(tf.matmul(hidden, tf.get_variable("u", [7, 2], initializer=tf.random_uniform_initializer(seed=4))) - y))
    train = tf.train.AdamOptimizer(0.01).minimize(loss, global_step=step)
    tf.summary.scalar("loss", loss)
    with tf.train.MonitoredTrainingSession(
        checkpoint_dir=folder, hooks=[tf.train.StopAtStepHook(last_step=LAST), tf.train.NanTensorHook(loss)], save_checkpoint_steps=20
    ) as session:
        while not session.should_stop():
            session.run(train)
            if killed_at is not None and session.run(step) == killed_at:
                os.kill(os.getpid(), signal.SIGKILL)
    with tf.Session() as session:
        tf.train.Saver().restore(session, tf.train.latest_checkpoint(folder))
        for variable in tf.global_variables():
            print(variable.name, session.run(variable).tobytes().hex())


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
