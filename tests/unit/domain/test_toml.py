import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acmx import config
from acmx.cli import documents
from acmx.domain import toml
from acmx.domain.errors import FaultyInput, Misconfigured

DEEP = {
    "arrays": lambda n: "a = " + "[" * n + "]" * n,
    "inline tables": lambda n: "a = " + "{a = " * (n - 1) + "{}" + "}" * (n - 1),
    "a dotted key": lambda n: ".".join("a" * n) + " = {}",
    "a header": lambda n: "[" + ".".join("a" * n) + "]",
    "quoted keys": lambda n: " . ".join(['"a"', "'b'"] * (n // 2)) + ' . "a"' * (n % 2) + " = {}",
    "arrays of tables": lambda n: (
        "\n".join("[[" + ".".join("a" * k) + "]]" for k in range(1, n // 2 + 1)) + ("\nb = []" * (n % 2))
    ),
}


def depth(value):
    return (
        1 + max(map(depth, value.values() if isinstance(value, dict) else value), default=0)
        if isinstance(value, dict | list)
        else 0
    )


@pytest.mark.parametrize("shape", DEEP)
def test_as_deep_as_may_be_is_read_and_one_level_more_is_not(shape):
    levels = toml.DEEPEST - 1
    document = toml.parse(DEEP[shape](levels).encode())
    assert depth(document) == toml.DEEPEST
    with pytest.raises(ValueError, match="more than 32 levels deep"):
        toml.parse(DEEP[shape](levels + 1).encode())


@pytest.mark.parametrize("shape", DEEP)
def test_however_deep_it_is_refused_in_plain_words_at_once(tmp_path, shape):
    content = DEEP[shape](5_000 if shape != "arrays of tables" else 400).encode()
    with pytest.raises(FaultyInput, match=r"deep\.toml: .*32 levels deep"):
        documents.read(content, "deep.toml")
    (tmp_path / "config.toml").write_bytes(content)
    with pytest.raises(Misconfigured, match=r"config\.toml: .*32 levels deep"):
        config.read(tmp_path / "config.toml", {})


def test_as_large_as_may_be_is_read_and_a_byte_more_is_not():
    content = b"#".ljust(toml.LARGEST, b"x")
    assert toml.parse(content) == {}
    with pytest.raises(ValueError, match="larger than 1 MiB"):
        toml.parse(content + b"x")


@pytest.mark.parametrize("content", [b"a = ", b"a = 1\na = 2", b"\xff", b"[a]\n[a]"])
def test_what_is_no_toml_is_a_value_error(content):
    with pytest.raises(ValueError, match=r".+"):
        toml.parse(content)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_a_text_may_hold_what_looks_like_anything_but_a_long_key(text):
    assert toml.parse(f"a = {json.dumps(text, ensure_ascii=False)}".encode()) == {"a": text}


def test_every_example_is_read():
    for file in (Path(__file__).parents[3] / "examples").rglob("*.toml"):
        assert toml.parse(file.read_bytes())
