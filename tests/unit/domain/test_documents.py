import json
from datetime import datetime
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from acmx.domain.documents import MOST, convert, encode, known_part, parse, read
from acmx.domain.errors import FaultyInput, InvalidMessage
from acmx.domain.messages import AnyMessage

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)
objects = st.dictionaries(texts, values, max_size=6)


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """Something inside."""

    name: str


class Letter(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="letter"):
    """Something to read."""

    n: int
    parts: tuple[Part, ...] = ()
    part: Part | None = None
    free: dict[str, Any] = {}


class Card(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="card"):
    """Something else to read."""

    colour: Literal["red", "blue"]


@given(document=objects, spaced=st.booleans(), ascii_only=st.booleans())
def test_a_good_document_is_read_as_json_reads_it(
    document: dict[str, Any], spaced: bool, ascii_only: bool
) -> None:
    body = json.dumps(document, indent=1 if spaced else None, ensure_ascii=ascii_only).encode()
    assert parse(body) == json.loads(body) == document


@given(body=st.binary(max_size=60) | texts.map(str.encode))
def test_no_body_does_anything_but_parse_or_be_refused(body: bytes) -> None:
    try:
        document = parse(body)
    except FaultyInput:
        return
    assert document == json.loads(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": 1,}',
        b'{"a": 1} x',
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 01}',
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "line\nbreak"}',
        '{"a": 1}'.encode("utf-16"),
    ],
)
def test_what_is_not_json_in_utf8_is_refused(body: bytes) -> None:
    with pytest.raises(FaultyInput) as refused:
        parse(body)
    assert refused.value.faults[0].rule.startswith("is not readable JSON")


@pytest.mark.parametrize("body", [b'{"a": "\\ud800"}', b'{"\\udc00": 1}', b'{"a": ["\\ud83d x"]}'])
def test_half_a_surrogate_pair_is_refused(body: bytes) -> None:
    with pytest.raises(FaultyInput):
        parse(body)


@pytest.mark.parametrize(
    ("body", "member"),
    [
        (b'{"a": 1, "a": 1}', "a"),
        (b'{"x": {"b": 1, "c": 2, "b": 3}}', "b"),
        (b'{"x": [{"d": 1, "d": 1}]}', "d"),
        (b'{"n": 1, "\\u006e": 2}', "n"),
    ],
)
def test_a_member_given_twice_is_refused_and_named(body: bytes, member: str) -> None:
    with pytest.raises(FaultyInput) as refused:
        parse(body)
    [fault] = refused.value.faults
    assert (fault.field, fault.rule) == (member, "is given twice")


@pytest.mark.parametrize(
    "deep", [b"[" * 100_000, b'{"a":' * 100_000, b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"]
)
def test_deep_nesting_is_refused(deep: bytes) -> None:
    with pytest.raises(FaultyInput):
        parse(deep)


@pytest.mark.parametrize(
    ("body", "is_"), [(b"[]", "list"), (b'"a"', "str"), (b"1", "int"), (b"null", "NoneType")]
)
def test_anything_but_an_object_is_refused(body: bytes, is_: str) -> None:
    with pytest.raises(FaultyInput) as refused:
        parse(body)
    [fault] = refused.value.faults
    assert (fault.value, fault.rule) == (is_, "must be a JSON object")


def test_the_error_is_the_one_asked_for() -> None:
    with pytest.raises(InvalidMessage):
        parse(b"[]", InvalidMessage)


@pytest.mark.parametrize(
    ("document", "field", "rule"),
    [
        ({"type": "letter"}, "", "object missing required field `n`"),
        ({"type": "letter", "n": "1"}, "n", "expected `int`, got `str`"),
        ({"type": "letter", "n": 1, "parts": [{}]}, "parts[0]", "object missing required field `name`"),
        ({"type": "letter", "n": 1, "part": {"name": 5}}, "part.name", "expected `str`, got `int`"),
        ({"type": "letter", "n": 1, "more": 1}, "", "object contains unknown field `more`"),
        ({"type": "card", "colour": "green"}, "colour", "invalid enum value 'green'"),
        ({"type": "stone"}, "type", "invalid value 'stone'"),
    ],
)
def test_a_wrong_member_is_named_with_its_rule(document: dict[str, Any], field: str, rule: str) -> None:
    with pytest.raises(FaultyInput) as refused:
        convert(document, Letter | Card)
    [fault] = refused.value.faults
    assert (fault.field, fault.rule) == (field, rule)


def test_a_member_is_named_from_where_the_document_stands() -> None:
    with pytest.raises(FaultyInput) as refused:
        convert({"name": 5}, Part, FaultyInput, "content")
    assert refused.value.faults[0].field == "content.name"


@given(letter=st.builds(Letter, n=st.integers(0, 2**53), parts=st.lists(st.builds(Part, texts)).map(tuple)))
def test_what_was_written_is_read_again(letter: Letter) -> None:
    assert read(encode(letter), Letter) == letter


def test_members_of_a_newer_minor_version_are_left_out_at_every_depth() -> None:
    document = {
        "type": "letter",
        "n": 1,
        "new": 1,
        "parts": [{"name": "a", "new": 2}],
        "part": {"name": "b", "new": 3},
        "free": {"new": 4},
    }
    known = {"type": "letter", "n": 1, "parts": [{"name": "a"}], "part": {"name": "b"}, "free": {"new": 4}}
    assert known_part(document, Letter | Card) == known


def test_they_are_left_out_of_the_objects_within_a_message_too() -> None:
    """Whose members carry descriptions."""
    asker = {"mc_service_id": "sip:a@mc.example"}
    known = {"type": "request", "asker": asker, "addressee": {"functional_alias": "sip:duty@mc.example"}}
    newer = {name: {**part, "new": 1} if isinstance(part, dict) else part for name, part in known.items()}
    assert known_part(newer, AnyMessage) == known


def test_a_type_of_message_that_nobody_knows_keeps_its_members() -> None:
    document = {"type": "song", "verse": 1}
    assert known_part(document, AnyMessage) == document


@pytest.mark.parametrize(
    "body", [rb'{"a": "\u0000"}', rb'{"a": [{"b\u0000": 1}]}', rb'{"a": ["x", "\\\u0000"]}']
)
def test_a_text_with_u_0000_is_refused_wherever_it_stands(body: bytes) -> None:
    with pytest.raises(FaultyInput, match=r"U\+0000"):
        parse(body)


def test_a_text_that_only_looks_like_it_is_taken() -> None:
    assert parse(rb'{"a": "\\u0000"}') == {"a": r"\u0000"}


@pytest.mark.parametrize("value", [b"[]", b"{}", b"1", b'""', b'"a"', b'{"a":[1]}'])
def test_more_values_than_a_message_needs_are_refused_before_they_are_read(value: bytes) -> None:
    with pytest.raises(FaultyInput) as raised:
        parse(b'{"users":[' + b",".join([value] * (MOST + 1)) + b"]}")
    assert raised.value.faults[0].rule == "must not have more than 100,000 values"


def test_values_are_not_counted_in_texts() -> None:
    text = '[{,"\\' * MOST
    assert parse(json.dumps({"purpose": text, "users": ["a"] * 1000}).encode())["purpose"] == text
    users = [f"sip:officer.{n}@mc.metro-police.example" for n in range(10_000)]
    verdicts = [{"users": [user], "approved": False, "reason": 'not "here", [but] {there}'} for user in users]
    assert parse(encode({"users": users, "verdicts": verdicts}))["verdicts"] == verdicts


def test_the_one_member_of_many_that_is_given_twice_is_named() -> None:
    members = ",".join(f'"{n}":1' for n in [*range(99_000), 98_000])
    with pytest.raises(FaultyInput) as raised:
        parse(f"{{{members}}}".encode())
    assert (raised.value.faults[0].field, raised.value.faults[0].rule) == ("98000", "is given twice")


class Inner(Struct):
    at: Annotated[datetime, Meta(tz=True)] | None = None


class Outer(Struct):
    first: Annotated[datetime, Meta(tz=True)]
    more: tuple[Inner, ...] = ()


@pytest.mark.parametrize(
    "moment", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", "1969-12-31T23:59:59Z"]
)
def test_a_moment_beyond_the_calendar_is_refused_wherever_it_stands(moment: str) -> None:
    fits = "9998-12-31T23:59:59+12:00" if moment < "1" else "1970-01-01T00:00:00Z"
    document = {"first": fits, "more": [{}, {"at": moment}]}
    with pytest.raises(FaultyInput) as refused:
        convert(document, Outer, at="content")
    (fault,) = refused.value.faults
    assert (fault.field, fault.rule) == ("content.more[1].at", "must be from 1970 to 9998")
    assert convert(document | {"more": [{"at": fits}]}, Outer).first == datetime.fromisoformat(fits)
