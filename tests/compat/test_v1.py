"""`gpersist.compat.v1`: the names of TensorFlow 1, at TensorFlow's places."""

from __future__ import annotations

import operator
import subprocess
import sys
from pathlib import Path

import pytest

import gpersist.compat.v1 as tf
from gpersist import GPersistError
from gpersist.compat import lazy
from tests.compat import write_face


def test_the_modules_are_those_that_are_written() -> None:
    """`python -m tests.compat.write_face` writes them."""
    wanted = write_face.files()
    assert {*write_face.TARGET.rglob("*.py"), *write_face.TARGET.rglob("*.pyi"), write_face.INDEX} == set(wanted)
    assert [path.name for path, text in wanted.items() if path.read_text() != text] == []


@pytest.mark.parametrize("name", ["contrib", "train.NoSuchThread", "no_such_thing"])
def test_what_is_not_there_is_told(name: str) -> None:
    module, _, leaf = name.rpartition(".")
    with pytest.raises(AttributeError, match=rf"tf\.{name}: gpersist has no such name"):
        getattr(getattr(tf, module) if module else tf, leaf)


def test_what_to_use_instead_is_told() -> None:
    with pytest.raises(AttributeError, match=r"no such name; gpersist\.keras reads the models"):
        _ = tf.keras
    with pytest.raises(AttributeError, match="did you mean 'AdamOptimizer'"):
        _ = tf.train.AdamOptimiser
    with pytest.raises(AttributeError, match=r"no such name; dir\(tf\)"):
        _ = tf.__keras__


def test_names_of_2016_are_told_by_their_new_ones() -> None:
    with pytest.raises(AttributeError, match=r"^tf\.mul was renamed tf\.multiply in TensorFlow 1\.0$"):
        _ = tf.mul
    with pytest.raises(AttributeError, match=r"^tf\.train\.SummaryWriter was renamed tf\.summary\.FileWriter in"):
        _ = tf.train.SummaryWriter
    with pytest.raises(AttributeError, match=r"tf\.layers\.dense of a cell's inputs"):
        _ = tf.nn.rnn_cell.InputProjectionWrapper
    for old, new in lazy._RENAMED.items():
        module, _, leaf = old.rpartition(".")
        assert leaf not in dir(operator.attrgetter(module)(tf) if module else tf), old
        assert operator.attrgetter(new)(tf) is not None


def test_the_errors_are_one_tree() -> None:
    assert tf.errors.OpError is tf.OpError is GPersistError
    for code in range(1, 17):
        kind = tf.errors.exception_type_from_error_code(code)
        assert issubclass(kind, tf.errors.OpError) and tf.errors.error_code_from_exception_type(kind) == code
    assert tf.errors.FailedPreconditionError("x").error_code == tf.errors.FAILED_PRECONDITION


def test_switches() -> None:
    tf.disable_v2_behavior()
    tf.disable_eager_execution()
    assert not tf.executing_eagerly()
    with pytest.raises(tf.errors.UnimplementedError, match="no eager execution"):
        tf.enable_eager_execution()


def test_text() -> None:
    assert (tf.compat.as_bytes("é"), tf.compat.as_text(b"a"), tf.compat.as_str_any(3)) == ("é".encode(), "a", "3")
    with pytest.raises(TypeError, match="Expected binary or unicode string, got 3"):
        tf.compat.as_bytes(3)


def _stderr(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]).stderr


def test_what_it_logs_is_seen() -> None:
    code = "tf.logging.info('step %d', 3); tf.logging.debug('no'); tf.logging.set_verbosity('ERROR'); tf.logging.warn('no')"
    assert _stderr(f"import gpersist.compat.v1 as tf; {code}") == "INFO:gpersist:step 3\n"


def test_what_it_logs_goes_to_a_program_s_own_handlers() -> None:
    code = "import logging; logging.basicConfig(format='mine %(message)s'); import gpersist.compat.v1 as tf; tf.logging.info('x')"
    assert _stderr(code) == "mine x\n"


def test_logging_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "gpersist"):
        for number in range(5):
            tf.logging.log_every_n(tf.logging.INFO, "every %d", 2, number)
            tf.logging.log_first_n("INFO", "first %d", 2, number)
    assert caplog.messages == ["every 0", "first 0", "first 1", "every 2", "every 4"]
