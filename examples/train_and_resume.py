"""Trains for some steps with a checkpoint every 20 in the background, and resumes where an earlier run ended: run it twice.

python examples/train_and_resume.py [FOLDER]
"""

import sys

import numpy as np

import gpersist


def main(folder: str = "run") -> None:
    x = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]
    y = 3 * x + 0.5
    model = {"w": np.zeros((1, 1), np.float32), "b": np.zeros(1, np.float32), "step": np.zeros((), np.int64)}

    with gpersist.CheckpointManager(folder, max_to_keep=3) as manager:
        if manager.all_steps():
            manager.restore(into=model)
        first = int(model["step"])
        for step in range(first + 1, first + 101):
            error = x @ model["w"] + model["b"] - y
            model["w"] -= 0.1 * x.T @ error / len(x)
            model["b"] -= 0.1 * error.mean(axis=0)
            model["step"][...] = step
            if step % 20 == 0:
                manager.save_async(step, model)  # the values of this moment, whatever training does next
    print(f"trained steps {first + 1} to {step}; kept {manager.all_steps()}; w = {model['w'].item():.3f}, b = {model['b'].item():.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
