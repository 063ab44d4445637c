from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from acmx.domain.moments import from_ms, text, to_ms, whole

LATE = datetime(2026, 11, 23, 8, 0, 0, 123_999, tzinfo=UTC)
aware = st.datetimes(timezones=st.timezones())


def test_milliseconds_are_counted_from_1970() -> None:
    assert to_ms(datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)) == 1500
    assert from_ms(1500) == datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)


def test_what_no_calendar_has_is_shown_as_its_end() -> None:
    assert text(from_ms(2**60)) == "9999-12-31T23:59:59.999Z"
    assert text(from_ms(-(2**60))) == "0001-01-01T00:00:00.000Z"


def test_what_is_less_than_a_millisecond_is_cut_off() -> None:
    assert whole(LATE) == LATE.replace(microsecond=123_000)


def test_a_moment_is_shown_in_utc_with_milliseconds() -> None:
    summer = timezone(timedelta(hours=2))
    assert text(datetime(2026, 7, 1, 1, 30, tzinfo=summer)) == "2026-06-30T23:30:00.000Z"
    assert text(LATE) == "2026-11-23T08:00:00.123Z"


@given(milliseconds=st.integers(0, 253_402_300_799_999))
def test_a_stored_moment_is_read_as_it_was(milliseconds: int) -> None:
    assert to_ms(from_ms(milliseconds)) == milliseconds


@given(moment=aware, later=aware)
def test_the_order_of_moments_is_kept(moment: datetime, later: datetime) -> None:
    moment, later = sorted([moment, later])
    assert to_ms(moment) <= to_ms(later)
    assert whole(moment) <= moment < whole(moment) + timedelta(milliseconds=1)
