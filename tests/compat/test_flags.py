"""`tf.app` and `tf.flags`: what programs of TensorFlow 1 do with them. What is expected is what TensorFlow 2.21 said to the same programs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BEGINNING = """
import gpersist.compat.v1 as tf
flags = tf.app.flags
FLAGS = flags.FLAGS
flags.DEFINE_string(flag_name="name", default_value="x", docstring="an old keyword")
flags.DEFINE_integer("number", 3, "a number")
"""


def run(code: str, *arguments: str) -> str:
    """What a program prints. Flags are a process's own, thus a process."""
    command = [sys.executable, "-W", "error", "-c", BEGINNING + code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]).stdout


def test_run_finds_main_and_leaves_unknown_flags_to_it() -> None:
    code = "def main(argv): print(argv[1:], FLAGS.name, FLAGS.number)\ntf.app.run()"
    assert run(code, "--number=4", "--unknown", "7") == "['--unknown', '7'] x 4\n"


def test_run_takes_main_and_arguments() -> None:
    code = "import sys\ntf.app.run(main=lambda argv: print(argv, FLAGS.number), argv=['program', '--number=5', 'rest'])"
    assert run(code, "--no-such-flag") == "['program', 'rest'] 5\n"


def test_a_flag_that_is_read_first_parses_the_command_line() -> None:
    assert run("print(FLAGS.is_parsed(), FLAGS.number, FLAGS.is_parsed())", "--number=6") == "False 6 True\n"


def test_flags_are_set_and_listed() -> None:
    code = "FLAGS.number = 9\nprint(FLAGS.number, FLAGS['number'].value, 'number' in FLAGS, len(FLAGS) == len(list(FLAGS)), 'name' in dir(FLAGS))"
    assert run(code) == "9 9 True True True\n"


def test_they_are_one_module() -> None:
    assert run("print(tf.flags is flags, tf.flags.FLAGS is FLAGS, 'DEFINE_enum' in dir(flags))") == "True True True\n"


def test_a_flag_is_its_programs() -> None:
    told = run("print([flag.name for flag in FLAGS.get_key_flags_for_module('-c')], FLAGS.find_module_defining_flag('number'))")
    assert told == "['name', 'number'] -c\n"


def test_help_tells_the_programs_flags() -> None:
    command = [sys.executable, "-c", BEGINNING + "tf.app.run(main=print)", "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]).stdout
    assert "--name: an old keyword" in told
    assert "--number: a number" in told


def test_a_flag_of_absls_own_is_explained() -> None:
    command = [sys.executable, "-c", BEGINNING + "flags.DEFINE_string('log_dir', '', 'where')\ntf.app.run(main=print)"]
    told = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]).stderr
    assert "'log_dir' is defined twice. First from -c, second from absl.logging" in told
    assert "give the program's another" in told
