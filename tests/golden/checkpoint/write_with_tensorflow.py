"""Asks TensorFlow (2.21, CPU) how it writes the file `checkpoint` and which checkpoints its Saver keeps. Run: python write_with_tensorflow.py"""

import json
import os
import random
import re
import tempfile
import types

import tensorflow.compat.v1 as tf
from tensorflow.python.checkpoint import checkpoint_management
from tensorflow.python.training import saver as saver_module

HERE = os.path.dirname(os.path.abspath(__file__))

STATES = [
    # latest, all, timestamps, last_preserved, relative
    ["ckpt-2", ["ckpt-1", "ckpt-2"], [1700000000.123456, 1700000001.0], 1699999999.5, True],
    ["ckpt-2", ["ckpt-1", "ckpt-2"], [], None, True],
    ["ckpt-2", ["ckpt-1", "ckpt-2"], [], None, False],
    ["ckpt-2", [], [], None, True],
    ["ckpt-2", ["ckpt-3"], [1e300, 1e-7], 0.0, True],
    ["a \"é\n\\\t'\x01-2", [], [0.1], 1 / 3, True],
    ["below/ckpt-2", ["ckpt-1", "below/ckpt-2"], [], None, True],
    ["ckpt-0", ["ckpt-0"], [16777217.0], 123456789012345680.0, True],
]


def states():
    answers = []
    for latest, every, timestamps, last_preserved, relative in STATES:
        with tempfile.TemporaryDirectory() as folder:
            checkpoint_management.update_checkpoint_state_internal(
                folder,
                os.path.join(folder, latest),
                [os.path.join(folder, path) for path in every],
                save_relative_paths=relative,
                all_model_checkpoint_timestamps=timestamps,
                last_preserved_timestamp=last_preserved,
            )
            with open(os.path.join(folder, "checkpoint"), encoding="utf-8", newline="") as file:
                text = file.read().replace(folder, "$FOLDER")
        answers.append(
            {"latest": latest, "all": every, "timestamps": timestamps, "last_preserved": last_preserved, "relative": relative, "text": text}
        )
    return answers


def retention(max_to_keep, hours, start, saves):
    """Runs a Saver under a clock of ours; `saves` are (step, seconds since 1970)."""
    clock = [start]
    saver_module.time = types.SimpleNamespace(time=lambda: clock[0])
    after = []
    with tempfile.TemporaryDirectory() as folder, tf.Graph().as_default(), tf.Session() as session:
        variable = tf.Variable(1.0, use_resource=False)
        session.run(variable.initializer)
        saver = tf.train.Saver(max_to_keep=max_to_keep, **({} if hours is None else {"keep_checkpoint_every_n_hours": hours}))
        for step, moment in saves:
            clock[0] = moment
            saver.save(session, os.path.join(folder, "ckpt"), global_step=step, write_meta_graph=False)
            there = sorted(int(found[1]) for name in os.listdir(folder) if (found := re.fullmatch(r"ckpt-(\d+)\.index", name)))
            queue = [int(path.rpartition("-")[2]) for path in saver.last_checkpoints]
            after.append({"there": there, "queue": queue})
    return {"max_to_keep": max_to_keep, "hours": hours, "start": start, "saves": saves, "after": after}


def main():
    random.seed(1)
    base = 1_700_000_000.0
    runs = [
        retention(5, None, base, [(i, base + 60 * i) for i in range(8)]),
        retention(1, 1.0, base, [(i, base + 1200 * i) for i in range(12)]),
        retention(2, 0.5, base, [(i, base + 1800 * (i + 1)) for i in range(8)]),  # saved exactly when due
        retention(2, 1.0, base, [(i, base + 10800 * (i + 1)) for i in range(8)]),  # rarer than the hours
        retention(0, 1.0, base, [(i, base + 7200 * i) for i in range(4)]),
        retention(3, 1.0, base, [(i, base + 2000 * n) for n, i in enumerate([1, 2, 3, 2, 4, 1, 5, 6, 2, 7])]),  # saved again
    ]
    for _ in range(6):
        moments = sorted(round(base + random.uniform(0, 40000), 3) for _ in range(15))
        runs.append(retention(random.randint(1, 4), random.choice([0.1, 0.7, 1.0, 2.5]), base, list(enumerate(moments))))
    with open(os.path.join(HERE, "state.json"), "w", encoding="utf-8") as file:
        json.dump(states(), file, indent=1, ensure_ascii=True)
    with open(os.path.join(HERE, "retention.json"), "w", encoding="utf-8") as file:
        json.dump(runs, file)


tf.disable_v2_behavior()
main()
