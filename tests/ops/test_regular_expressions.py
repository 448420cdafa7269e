"""Regular expressions, against what TensorFlow has said (tests/golden/strings), and against time."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from gpersist import ops
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Graph, Session
from gpersist.ops.regular_expressions import regex_full_match, regex_replace

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "strings" / "regular_expressions.json").read_text())


def to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("pattern", list(dict.fromkeys(pattern for pattern, _, _ in GOLDEN["answers"])))
def test_as_in_tensorflow(pattern: str) -> None:
    answers: dict[Any, Any] = {rewrite: values for each, rewrite, values in GOLDEN["answers"] if each == pattern}
    with Graph().as_default() as graph, Session(graph=graph) as session:
        texts, given, rewrite = ops.constant([to_bytes(text) for text in GOLDEN["texts"]]), ops.placeholder("string"), ops.placeholder("string")
        match = regex_full_match(texts, given)
        replacements = [regex_replace(texts, given, rewrite, replace_global=is_global) for is_global in (True, False)]
        for new, wanted in answers.items():
            if wanted is None:
                with pytest.raises(InvalidArgumentError, match=r"Invalid pattern: .*, error: "):
                    session.run(match, {given: to_bytes(pattern)})
            elif new is None:
                assert [session.run(match, {given: to_bytes(pattern)}).tolist()] == wanted
            else:
                found = session.run(replacements, {given: to_bytes(pattern), rewrite: to_bytes(new)})
                assert [value.tolist() for value in found] == [[to_bytes(text) for text in value] for value in wanted], new


def test_a_hostile_pattern_takes_no_longer() -> None:
    with Graph().as_default() as graph, Session(graph=graph) as session:
        found = regex_full_match([b"a" * 5000], "(a*)*(a|a)*(a+)+b")
        started = time.process_time()
        assert not session.run(found)[0]
    assert time.process_time() - started < 10  # one that goes back and forth would take longer than the universe has
