"""Operations on text."""

from __future__ import annotations

import numpy as np
from program import case, failure, nodes, plain, runs

TEXTS = ["", "a", "Hello World", "  padded\t\n", "Grüße, 世界!", "a,b;c", "aaa"]


@case
def as_string(tf):
    reals = np.array([0.0, -1.5, 1e10, 1 / 3, 1e-7, np.inf, -np.inf, np.nan, 123456789.0])
    made = [tf.as_string(reals.astype(dtype)) for dtype in (np.float32, np.float64)]
    made += [tf.as_string(np.array([0.1, 100.0, -2.5], np.float16)), tf.as_string(tf.constant([0.1, 3.0], tf.bfloat16))]
    made += [tf.as_string(np.array([0, 5, 100], dtype)) for dtype in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")]
    made += [tf.as_string([-(2**31), 2**31 - 1]), tf.as_string([True, False]), tf.as_string(np.array([1 + 2j, -0.5j], np.complex64))]
    made += [tf.as_string(reals, scientific=True), tf.as_string(reals, shortest=True), tf.as_string(reals, precision=2)]
    made += [tf.as_string(reals, precision=3, shortest=True), tf.as_string(reals, precision=3, scientific=True, width=12)]
    made += [tf.as_string([5, -6, 700], width=5), tf.as_string([5, -6, 700], width=5, fill="0"), tf.as_string([5, -6], width=5, fill="-")]
    made += [tf.as_string([5, -6], width=4, fill="+"), tf.as_string([5, -6], fill=" "), tf.as_string([1.5, -2.0], width=10, precision=1, fill="0")]
    made += [tf.as_string(np.array([1 + 2j]), precision=1), tf.as_string(3), tf.as_string([["x", "y"]])]
    refused = [
        failure(lambda: tf.as_string([1], precision=2)),
        failure(lambda: runs(tf, tf.as_string([1], scientific=True))),
        failure(lambda: runs(tf, tf.as_string([1.0], scientific=True, shortest=True))),
        failure(lambda: runs(tf, tf.as_string([1.0], fill="x"))),
        failure(lambda: runs(tf, tf.as_string([1.0], fill="00"))),
    ]
    return [runs(tf, made, 1), refused]


@case
def join(tf):
    word = tf.placeholder(tf.string, None)
    made = [
        tf.string_join([["a", "b"], ["c", "d"]]),
        tf.string_join([["a", "b"], "-", ["c", "d"]], separator="/"),
        tf.string_join(["x"]),
        tf.strings.join([[["a"]], "b"], "::", name="named"),
        tf.string_join([word, "x"]),
    ]
    with tf.Session() as session:
        found = [plain(session.run(made, {word: feed})) for feed in ("w", ["w", "v"], np.zeros([0, 2], object))]
        refused = [
            failure(lambda: tf.string_join([["a"], ["b", "c"]])),
            failure(lambda: session.run(tf.string_join([word, ["b", "c"]]), {word: ["x"]})),
        ]
    return [found, refused, [str(tensor.shape) for tensor in made], nodes(tf), failure(lambda: tf.string_join([1, 2]))]


@case
def split(tf):
    found = []
    for source, options in (
        (["hello world", "a  b c", "", " "], {}),
        (["hello world", "a  b c", ""], {"skip_empty": False}),
        (["a,b;c", ",x,"], {"delimiter": ",;"}),
        (["a,b;c", ",x,"], {"delimiter": ",;", "skip_empty": False}),
        (["abc", "", "de"], {"delimiter": ""}),
        (["a,b"], {"sep": ","}),
        (["Größe"], {"delimiter": ""}),
        (np.zeros([0], object), {}),
    ):
        result = tf.string_split(tf.constant(source, tf.string), **options)
        found.append([runs(tf, [result.indices, result.values, result.dense_shape], 1)])
        found.append([str(result.indices.shape), str(result.values.shape), str(result.dense_shape.shape), type(result).__name__])
    refused = [failure(lambda: tf.string_split([["a"]])), failure(lambda: runs(tf, tf.string_split(["a"], ["a", "b"]).values))]
    return [found, refused, nodes(tf)[:8]]


@case
def split_v2(tf):
    found = []
    for source, sep, maxsplit in (
        (["hello world", "a  b c", "", " x "], "", -1),
        (["a<>b<><>c", "<>", "x"], "<>", -1),
        (["a b c d"], "", 2),
        (["a,b,c,d", ""], ",", 1),
        (["a,b,c"], ",", 0),
        (["  a b  c "], "", 1),
    ):
        result = tf.raw_ops.StringSplitV2(input=source, sep=sep, maxsplit=maxsplit)
        found.append(runs(tf, list(result), 1))
    return found


@case
def parts(tf):
    made = [
        tf.substr(TEXTS[2:4], 1, 4),
        tf.substr(TEXTS[2:4], -3, 2),
        tf.substr(TEXTS[2:4], [0, 2], [3, 100]),
        tf.substr(["hello", "w"], [[1, 0], [2, 1]], [[2, 1], [2, 0]]),
        tf.substr("hello", [1, 2], [3, 1]),
        tf.substr(["hello", "w"], [[1], [0]], [[2], [1]]),
        tf.strings.substr("Grüße, 世界!", 2, 7, unit="UTF8_CHAR"),
        tf.strings.substr("Grüße, 世界!", -3, 2, unit="UTF8_CHAR"),
        tf.substr("abc", 3, 2),
        tf.substr("abc", np.int64(1), np.int64(0)),
    ]
    refused = [
        failure(lambda: runs(tf, tf.substr("abc", 4, 1))),
        failure(lambda: runs(tf, tf.substr(["abc", "a"], 2, 1))),
        failure(lambda: runs(tf, tf.substr("abc", -4, 1))),
        failure(lambda: runs(tf, tf.strings.substr("世界", 3, 1, unit="UTF8_CHAR"))),
        failure(lambda: tf.substr(["abc"], [1, 2], [1])),
        failure(lambda: tf.substr(["abc"], [1, 2], [1, 2, 3])),
        failure(lambda: tf.substr("abc", 1.0, 2.0)),
    ]
    return [runs(tf, made, 1), refused, [str(tensor.shape) for tensor in made]]


@case
def lengths_and_cases(tf):
    made = [
        tf.strings.length(TEXTS),
        tf.strings.length(TEXTS, unit="UTF8_CHAR"),
        tf.strings.strip(TEXTS),
        tf.strings.lower(TEXTS),
        tf.strings.upper(TEXTS),
        tf.strings.lower(TEXTS, encoding="utf-8"),
        tf.strings.upper(TEXTS, encoding="utf-8"),
        tf.strings.length("scalar"),
        tf.string_strip(" x "),
        tf.strings.lower([["A"], ["b"]]),
    ]
    refused = failure(lambda: runs(tf, tf.strings.lower("A", encoding="latin1")))
    return [runs(tf, made, 1), refused, nodes(tf), failure(lambda: tf.strings.length(5))]


@case
def regular_expressions(tf):
    pattern = tf.placeholder_with_default("a+", [])
    made = [
        tf.regex_replace(TEXTS, "l+", "L"),
        tf.regex_replace(TEXTS, "(l)(o)", "\\2\\1"),
        tf.regex_replace(TEXTS, "a*", "-"),
        tf.regex_replace(["abxd", "xx", ""], "x*", "-"),
        tf.regex_replace(TEXTS, "a", "b", replace_global=False),
        tf.regex_replace(TEXTS, "[[:alpha:]]+", "<\\0>"),
        tf.regex_replace(TEXTS, pattern, "b"),
        tf.regex_replace(TEXTS, "(?i)HELLO", "bye"),
        tf.regex_replace(TEXTS, ".", "x"),
        tf.regex_replace(TEXTS, "\\w", "w"),
        tf.regex_replace(["a\\b", "a.b"], "\\\\|\\.", "\\\\"),
        tf.regex_replace("a1b22", "\\d", "#"),
        tf.strings.regex_full_match(TEXTS, "a+"),
        tf.strings.regex_full_match(TEXTS, pattern),
        tf.strings.regex_full_match(["ab", "abc"], "ab|abc"),
        tf.strings.regex_full_match(["line\n", "line"], "line$"),
    ]
    refused = [
        failure(lambda: runs(tf, tf.regex_replace(["a"], "(", "b"))),
        failure(lambda: runs(tf, tf.regex_replace(["a"], pattern, "b"), 1) and runs(tf, tf.regex_replace(["a"], tf.constant("("), "b"))),
        failure(lambda: runs(tf, tf.strings.regex_full_match(["a"], "("))),
        failure(lambda: runs(tf, tf.regex_replace(["a"], "(a)", "\\2"))),
        failure(lambda: tf.regex_replace(["a"], ["b"], "c")),
    ]
    return [runs(tf, made, 1), refused, nodes(tf)]


@case
def to_number(tf):
    texts = ["0", "-1.5", " 3 ", "1e10", "inf", "-INF", "nan", "+7", ".5", "5.", "1e-45", "16777217"]
    made = [tf.string_to_number(texts), tf.string_to_number(texts, tf.float64), tf.strings.to_number(["1", " -2 ", "+3"], tf.int32)]
    made += [tf.string_to_number(["9223372036854775807", "-9223372036854775808"], tf.int64), tf.string_to_number([["1"]]), tf.string_to_number("5")]
    refused = [
        failure(lambda wrong=wrong, dtype=dtype: runs(tf, tf.string_to_number([wrong], dtype), 1))
        for wrong in ("", "a", "1 2", "1.5", "2147483648", "-2147483649", "9223372036854775808", "0x10", "1_0", "1e5", "--1", "infinity")
        for dtype in (tf.float32, tf.int32, tf.int64)
    ]
    return [runs(tf, made, 1), refused]


@case
def hashes(tf):
    texts = [*TEXTS, *["x" * size for size in (3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200, 1000)]]
    many = 2**62
    made = [
        tf.string_to_hash_bucket(texts, many),
        tf.strings.to_hash_bucket_fast(texts, many),
        tf.strings.to_hash_bucket_strong(texts, many, [1, 2]),
        tf.string_to_hash_bucket_fast(texts, 10),
        tf.string_to_hash_bucket_strong(texts, 10, [-5, 2**40]),
        tf.string_to_hash_bucket(texts, 1),
    ]
    refused = [
        failure(lambda: tf.string_to_hash_bucket(texts, 0)),
        failure(lambda: runs(tf, tf.string_to_hash_bucket_strong(texts, 5, [1]))),
    ]
    return [runs(tf, made, 1), refused]


@case
def reduce_join(tf):
    text = [["a", "b", "c"], ["d", "e", "f"]]
    axes = tf.placeholder(tf.int32, None)
    made = [
        tf.reduce_join(text),
        tf.reduce_join(text, 0),
        tf.reduce_join(text, 1, separator="-"),
        tf.reduce_join(text, -1, keep_dims=True),
        tf.reduce_join(text, [0, 1], separator=","),
        tf.reduce_join(text, [1, 0], separator=","),
        tf.reduce_join(text, [1, 0], keepdims=True),
        tf.reduce_join(text, np.zeros([0], np.int32)),
        tf.reduce_join("x"),
        tf.reduce_join(tf.fill([2, 0], ""), 1),
    ]
    with tf.Session() as session:
        refused = [
            failure(lambda: tf.reduce_join(text, 2)),
            failure(lambda: session.run(tf.reduce_join(text, axes), {axes: [0, 0]})),
            failure(lambda: session.run(tf.reduce_join(text, axes), {axes: 5})),
        ]
    return [runs(tf, made, 1), refused, [str(tensor.shape) for tensor in made], nodes(tf)]


@case
def base64(tf):
    blobs = [b"", b"a", b"ab", b"abc", bytes(range(250, 256)), b"\xff\xfe\xfd\x00"]
    made = [tf.encode_base64(blobs), tf.encode_base64(blobs, pad=True), tf.decode_base64(tf.encode_base64(blobs[:4]))]
    made += [tf.decode_base64(["YQ", "YQ==", "YWI", "YWJj", "_-_-"][:4]), tf.encode_base64("x")]
    refused = [failure(lambda wrong=wrong: runs(tf, tf.decode_base64(wrong))) for wrong in ("Y", "a+b/", "a b", "Y===", "YQ=", "=", "YR")]
    return [runs(tf, made, 1), refused]


@case
def raw_bytes(tf):
    made = [
        tf.decode_raw(["abcd", "efgh"], tf.uint8),
        tf.decode_raw("abcdefgh", tf.float32),
        tf.decode_raw(["abcdefgh"], tf.int16, little_endian=False),
        tf.decode_raw(["abcdefgh"], tf.float64),
        tf.decode_raw([["ab"], ["cd"]], tf.float16),
        tf.decode_raw([b"\x00\x01"], tf.bool),
        tf.decode_raw(np.zeros([0], object), tf.int32),
        tf.decode_raw([""], tf.int32),
        tf.decode_raw(["abcdefgh"], tf.complex64),
    ]
    refused = [
        failure(lambda: runs(tf, tf.decode_raw(["a", "bc"], tf.uint8))),
        failure(lambda: runs(tf, tf.decode_raw(["abc"], tf.int16))),
        failure(lambda: tf.decode_raw([1], tf.uint8)),
    ]
    return [runs(tf, made, 1), refused, [str(tensor.shape) for tensor in made], nodes(tf)[:6]]


@case
def serialized_tensors(tf):
    values = [np.arange(6, dtype=np.float32).reshape(2, 3), np.array(5), np.array([True, False]), np.zeros([0, 2]), np.array([b"a", b"bc"], object)]
    made = [tf.io.serialize_tensor(value) for value in values]
    back = [tf.parse_tensor(text, value.dtype) for text, value in zip(made, map(tf.convert_to_tensor, values), strict=True)]
    with tf.Session() as session:
        texts = [list(text) for text in session.run(made)]
        found = plain(session.run(back))
    refused = [
        failure(lambda: runs(tf, tf.parse_tensor(made[0], tf.int32))),
        failure(lambda: runs(tf, tf.parse_tensor("garbage", tf.int32))),
        failure(lambda: tf.parse_tensor(["a"], tf.int32)),
    ]
    return [texts, found, refused]


@case
def text_of_tensors(tf):
    made = [
        tf.strings.format("a {} b {}", [tf.constant([[1.5, 2], [3, 4]]), tf.constant("s")]),
        tf.strings.format("{}", [tf.range(20)]),
        tf.strings.format("{}", tf.range(20), summarize=-1),
        tf.strings.format("{}", [tf.range(60)], summarize=2),
        tf.strings.format("<{}>", [tf.reshape(tf.range(64), [4, 4, 4])], summarize=1),
        tf.strings.format("{}", [tf.constant([b"a\n\xff", b'"q"'])]),
        tf.strings.format("{}", [tf.zeros([2, 0])]),
        tf.strings.format("{}", [tf.constant([1e10, 1e-7, np.nan, 1 / 3])]),
        tf.strings.format("{}", [tf.constant([1e10, 1e-7, np.nan, 1 / 3], tf.float64)]),
        tf.strings.format("{}", [tf.constant([True, False])]),
        tf.strings.format("%s", [tf.constant(5, tf.int64)], placeholder="%s"),
        tf.strings.format("none", []),
        tf.strings.format("{}", [tf.constant([1 + 2j, 3j])]),
        tf.strings.format("{}", [tf.constant([1, 2, 3], tf.uint8)]),
    ]
    return [runs(tf, made, 1), failure(lambda: tf.strings.format("{} {}", [tf.constant(1)])), [made[0].name, str(made[0].shape)]]


@case
def csv(tf):
    lines = ["1,2.5,abc,4", '5,,"quoted, ""text""",', "7,1e3,x,9"]
    made = tf.decode_csv(lines, [[0], [1.5], [""], np.array([8], np.int64)])
    tabs = tf.decode_csv(["1\t2", "NA\t4"], [[7], [0.0]], field_delim="\t", na_value="NA")
    chosen = tf.decode_csv(lines, [[0], [""]], select_cols=[0, 2])
    plain_quotes = tf.decode_csv(['a"b,c'], [[""], [""]], use_quote_delim=False)
    double = tf.decode_csv("1.5,2", [tf.constant([], tf.float64), tf.constant([], tf.int32)])
    refused = [
        failure(lambda line=line: runs(tf, tf.decode_csv([line], [[0], [0]]), 1))
        for line in ("1", "1,2,3", "a,1", "1,99999999999", '1,"2', '1,2"3', '1,"2"3')
    ]
    refused.append(failure(lambda: runs(tf, tf.decode_csv([","], [tf.constant([], tf.int32)] * 2), 1)))
    refused.append(failure(lambda: tf.decode_csv(["1"], [[0, 1]])))
    return [runs(tf, [*made, *tabs, *chosen, *plain_quotes, *double], 1), refused, nodes(tf)[:6]]
