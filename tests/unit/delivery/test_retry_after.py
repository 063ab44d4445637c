"""Retry-After as it is read: seconds or a date, 15 minutes at most, and nothing where it makes no sense."""

from datetime import timedelta

import pytest

from acmx.delivery.wire import _retry_after
from support.systems.systems import START


@pytest.mark.law(6)
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 0),
        ("0", 0),
        ("120", 120),
        ("86400", 900),
        ("9" * 400, 900),
        ("Mon, 23 Nov 2026 08:10:00 GMT", 600),
        ("Mon, 23 Nov 2026 07:00:00 GMT", 0),
        ("Tue, 23 Nov 2027 08:00:00 GMT", 900),
        ("-5", 0),
        ("soon", 0),
        ("1.5", 0),
    ],
)
def test_retry_after(header: str, seconds: int) -> None:
    assert _retry_after(header, START) == timedelta(seconds=seconds)
