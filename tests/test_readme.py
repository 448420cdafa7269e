"""What README.md and docs/ say is so: their snippets run, their commands work, their links lead somewhere, what is generated is up to date."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs import picture, write
from tests.golden.seeds import notebook

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text() for path in write.PAGES}
BLOCKS = [
    pytest.param(block, id=f"{page}-{number}")
    for page, text in TEXTS.items()
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
]
COMMANDS = re.findall(r"^    gpersist (.*?) *(?:#.*)?$", README, re.MULTILINE)
LINKS = [(page, link) for page, text in TEXTS.items() for link in re.findall(r"\]\(([^)\s]+)\)", text)]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))

A_TRAINING = """
import gpersist.compat.v1 as tf
x = tf.placeholder(tf.float32, [None, 2], name="x")
w = tf.get_variable("w", [2, 1])
tf.nn.sigmoid(tf.matmul(x, w), name="predict")
step = tf.train.get_or_create_global_step()
saver = tf.train.Saver()
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for number in (80, 100):
        sess.run(step.assign(number))
        saver.save(sess, "run/ckpt", step)
"""


def run(folder, *arguments, statuses=(0,), **environment):
    """As a user would, in a folder of his own; warnings are errors."""
    command = [sys.executable, "-W", "error", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env={"PYTHONPATH": str(ROOT), **environment})
    assert done.returncode in statuses, done.stderr
    return done.stdout


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_runs(block, tmp_path):
    run(tmp_path, "-c", block.replace("import cupy as cp", "import numpy as cp"))


@pytest.mark.cuda
@pytest.mark.parametrize("block", [block for block in BLOCKS if "cupy" in block.values[0]])
def test_a_block_runs_on_a_gpu(block, tmp_path):
    code = f"{block}\nassert all(isinstance(array, cp.ndarray) for array in arrays.values())"
    run(tmp_path, "-c", code, **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"})


def test_there_are_blocks():
    assert any("cupy" in block.values[0] for block in BLOCKS) and len(BLOCKS) >= 7


def test_the_commands_run(tmp_path):
    run(tmp_path, "-c", A_TRAINING)
    assert len(COMMANDS) >= 7
    for command in COMMANDS:
        statuses = (1,) if command.startswith("diff") else (0,)  # the two checkpoints differ
        assert run(tmp_path, "-m", "gpersist", *shlex.split(command), statuses=statuses)


def test_the_commands_of_the_other_pages_are_there():
    commands = set(re.findall(r"`gpersist ([a-z]+)", "".join(TEXTS.values())))
    assert commands and all(f"## gpersist {command}\n" in TEXTS["docs/cli.md"] for command in commands)


@pytest.mark.parametrize("page", TEXTS)
def test_what_is_generated_is_up_to_date(page):
    assert write.fresh(TEXTS[page]) == TEXTS[page], "make docs writes it"


def test_the_picture_is_up_to_date():
    assert picture.placement() == write.PICTURE.read_text(), "make docs draws it"


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_links_lead_somewhere(page, link):
    path, _, anchor = link.partition("#")
    target = (ROOT / page).parent / path if path else ROOT / page
    assert target.exists()
    if anchor:
        headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
        assert anchor in [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]


def test_every_page_is_listed():
    assert {link for page, link in LINKS if page == "docs/README.md"} >= {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}


def test_training_resumes(tmp_path):
    assert "steps 1 to 100; kept [60, 80, 100]" in run(tmp_path, ROOT / "examples/train_and_resume.py")
    assert "steps 101 to 200; kept [160, 180, 200]" in run(tmp_path, ROOT / "examples/train_and_resume.py")


def test_placing():
    out = run(ROOT, ROOT / "examples/place.py")
    assert re.search(r"^balanced .*layer3 on /device:GPU:0$", out, re.MULTILINE)
    assert re.search(r"^strict: 2 of 4 tensors .*'layer2'", out, re.MULTILINE)


def test_every_example_is_run_and_told_of():
    assert {path.stem for path in EXAMPLES} - set(notebook.EXAMPLES) == {"place", "train_and_resume"}  # those are run by tests/examples
    assert all(f"`{path.name}`" in README for path in EXAMPLES)


def test_what_they_say_to_make_can_be_made():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = set(re.findall(r"(?:`|^    )make ([a-z-]+)", "".join(TEXTS.values()), re.MULTILINE))
    assert told and told <= targets
