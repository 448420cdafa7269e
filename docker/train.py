"""Trains until it is done or told to stop, and resumes where it was: what the images run.

The model is the demo's; put yours in its place. What a container wants of a training program is in the loop: at SIGTERM (or Ctrl-C) the step
under way is finished and saved, and the exit status is 0; each step touches the heartbeat that healthcheck.py looks at. After SIGKILL, the save
before stands.
"""

import argparse
import contextlib
import os
import signal
import time
from pathlib import Path

import gpersist
from gpersist.cli.training import Model

HEARTBEAT = Path(os.environ.get("HEARTBEAT_FILE", "/tmp/heartbeat"))
MAX_DEVICES = 3  # the model's layers; with more it would have more, and not fit its own checkpoints from elsewhere


def main() -> None:
    """Trains into a folder of checkpoints."""
    parser = argparse.ArgumentParser(prog="train.py", description="Train, save in the background, save and end at SIGTERM, resume.")
    parser.add_argument("folder", help="of the checkpoints")
    parser.add_argument("--steps", type=int, default=2000, help="to train up to (default: 2000)")
    parser.add_argument("--save-every", type=int, default=50, metavar="STEPS", help="(default: 50)")
    arguments = parser.parse_args()
    if arguments.save_every < 1:
        parser.error(f"--save-every is {arguments.save_every}; expected at least 1")
    with gpersist.PreemptionGuard(signal.SIGTERM, signal.SIGINT) as guard, gpersist.CheckpointManager(arguments.folder, max_to_keep=3) as manager:
        train(arguments, guard, manager)


def train(arguments: argparse.Namespace, guard: gpersist.PreemptionGuard, manager: gpersist.CheckpointManager) -> None:
    """Takes up where the newest whole checkpoint ended, and goes on until enough steps are trained, or the guard has received a signal."""
    cpu, *gpus = gpersist.devices()
    devices = gpus[:MAX_DEVICES] or [cpu]
    print("training on", ", ".join(f"{device.name} ({device.backend})" for device in devices), flush=True)
    model = Model(devices)
    with contextlib.suppress(gpersist.CheckpointNotFoundError):  # the first start
        manager.restore(into=model.arrays)
        print(f"resumed from step {int(model.arrays['global_step'])}", flush=True)
    if int(model.arrays["global_step"]) >= arguments.steps:
        print(f"nothing to do: {arguments.steps} steps are trained", flush=True)
    for step in range(int(model.arrays["global_step"]) + 1, arguments.steps + 1):
        loss = model.train()
        HEARTBEAT.touch()
        if step % 10 == 0:
            print(f"step {step}: loss {loss:.4f}", flush=True)
        if guard.received or step == arguments.steps:
            started = time.perf_counter()
            manager.save(step, model.arrays)
            reason = guard.received.name if guard.received else "done"
            print(f"{reason}: saved step {step} in {(time.perf_counter() - started) * 1e3:.0f} ms", flush=True)
            break
        if step % arguments.save_every == 0:
            manager.save_async(step, model.arrays)


if __name__ == "__main__":
    main()
