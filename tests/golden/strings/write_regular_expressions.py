"""Writes regular_expressions.json: what TensorFlow's RegexReplace and RegexFullMatch give. Run with an interpreter that has tensorflow-cpu.

Written with 2.21. Left out are patterns of which releases of RE2 differ: `(?<name>...)`.
"""

import json
from pathlib import Path
from typing import Any

import tensorflow.compat.v1 as tf

TEXTS = ["", "aaa", "abc abc", "h\u00e9llo w\u00f6rld", "\udcff\udcfe", "a\nb\n", "x1y22z333", "ababab", "$^.", "A_b-C"]
PATTERNS = [
    *["", "a*", "a*?", "b*", "x*", "(a)(b)?", "^", "$", r"\b", ".", "(?s).", "(?i)ABC", r"\pL+", r"\p{Lu}", "[[:alpha:]]+", r"\d+", "(?m)^", r"\C"],
    *[
        "(a|ab)(c|bcd)?",
        "[^a]",
        "(",
        "a{2000}",
        "(?P<n>a)",
        r"\Qa.c\E",
        r"(\w)(\w)",
        "a**",
        "[z-a]",
        r"\1",
        "(?=a)",
        "\\",
        "x{0}",
        "(?U)a+",
        "\u00e9+",
    ],
]
REWRITES = ["", "X", r"<\0>", r"\1-\2", r"\\", r"a\q", "\\", r"\9", "\u00e9"]


def to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def to_text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def main() -> None:
    answers: list[list[Any]] = []
    with tf.Graph().as_default(), tf.Session() as session:
        text, pattern, rewrite = tf.placeholder(tf.string, [None]), tf.placeholder(tf.string, []), tf.placeholder(tf.string, [])
        match = tf.strings.regex_full_match(text, pattern)
        replacements = [tf.regex_replace(text, pattern, rewrite, replace_global=is_global) for is_global in (True, False)]
        for each in PATTERNS:
            feeds = {text: [to_bytes(one) for one in TEXTS], pattern: to_bytes(each)}
            try:
                answers.append([each, None, [session.run(match, feeds).tolist()]])
            except tf.errors.InvalidArgumentError:
                answers.append([each, None, None])
                continue
            for new in REWRITES:
                found = session.run(replacements, {**feeds, rewrite: to_bytes(new)})
                answers.append([each, new, [[to_text(one) for one in value] for value in found]])
    lines = ",\n".join(json.dumps(answer) for answer in answers)
    Path(__file__).with_name("regular_expressions.json").write_text(f'{{"texts": {json.dumps(TEXTS)},\n"answers": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    tf.disable_v2_behavior()
    main()
