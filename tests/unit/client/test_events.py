import io

from hypothesis import given
from hypothesis import strategies as st

from acmx.client.events import Hint, hints

HINT = b'event: look-again\ndata: {"mc_service_id":"sip:a@b.example"}\n\n'
NOISE = [
    b": still here\n\n",
    b"\n",
    b"event: other\ndata: {}\n\n",
    b'data: {"mc_service_id":"x"}\n\n',
    b"event: look-again\ndata: {\n\n",
    b"retry: 5\n\n",
]


def read(content: bytes) -> list[Hint]:
    return list(hints(io.BytesIO(content)))


@given(st.lists(st.sampled_from([HINT, HINT.replace(b"\n", b"\r\n"), *NOISE])))
def test_each_hint_is_heard_once_and_nothing_else(parts):
    expected = sum(part not in NOISE for part in parts)
    assert read(b"".join(parts)) == [Hint("sip:a@b.example")] * expected


def test_an_event_that_is_cut_short_is_no_hint():
    assert read(HINT[:-1]) == []


@given(st.binary())
def test_no_bytes_break_the_reader(content):
    read(content)
