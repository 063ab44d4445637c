"""Points in time as people write them, where clocks change."""

import time
from datetime import UTC, datetime

import pytest

from acmx.cli.moments import moment


@pytest.fixture(autouse=True)
def _in_berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_date_alone_is_the_beginning_of_that_day_or_its_end():
    assert moment("2027-03-31") == datetime(2027, 3, 30, 22, tzinfo=UTC)
    assert moment("2027-03-31", ends=True) == datetime(2027, 3, 31, 22, tzinfo=UTC)
    assert moment("2027-03-27", ends=True) == datetime(2027, 3, 27, 23, tzinfo=UTC), (
        "a day of 23 hours follows"
    )


def test_a_time_is_meant_here_unless_it_says_otherwise():
    assert (
        moment("2027-03-31T18:00")
        == moment("2027-03-31 18:00+02:00")
        == datetime(2027, 3, 31, 16, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("2027-03-28T02:30", "does not exist here"),
        ("2027-10-31T02:30", "comes twice here"),
        ("2027-W10", "is no time"),
        ("20270331", "is no time"),
        ("2027-02-30", "is no time"),
        ("soon", "is no time"),
        ("9999-12-31", "1970 to 9998"),
        ("9998-12-31T23:59:59-12:00", "1970 to 9998"),
    ],
)
def test_what_is_no_time_or_not_one_alone_is_refused(words, why):
    with pytest.raises(ValueError, match=why):
        moment(words)


def test_an_offset_says_which_of_both_is_meant():
    assert moment("2027-10-31T02:30+01:00") == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)
