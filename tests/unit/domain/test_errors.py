"""The tree of errors: what each says to a client or a partner."""

import pytest

from acmx.domain import errors
from acmx.domain.errors import FINAL_TYPES, AcmxError, FaultyInput, PlaceTaken
from acmx.domain.faults import Fault


def tree(error: type[AcmxError] = AcmxError) -> list[type[AcmxError]]:
    return [error, *(below for child in error.__subclasses__() for below in tree(child))]


ERRORS = [error for error in tree() if error.__module__ == errors.__name__]


@pytest.mark.parametrize("error", ERRORS)
def test_the_first_line_of_a_docstring_is_the_title(error: type[AcmxError]) -> None:
    assert error.title().endswith(".")
    assert 400 <= error.status < 600


def test_no_two_errors_share_a_type() -> None:
    assert len({error.type for error in ERRORS}) == len(ERRORS)


@pytest.mark.law(5)
def test_the_types_that_may_be_final_are_a_closed_list() -> None:
    assert {error.type for error in ERRORS if error.final} == FINAL_TYPES


def test_only_the_first_hundred_faults_are_told_but_all_are_counted() -> None:
    error = FaultyInput([Fault(f"users[{n}]", "x", "is no URI") for n in range(250)])
    assert len(error.members["faults"]) == 100  # type: ignore[arg-type]
    assert error.members["faults_total"] == 250
    assert error.detail.count(";") == 2


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault("n", "1", "must be a number"), "n: '1' must be a number"),
        (Fault("n", "", "is missing"), "n: is missing"),
        (Fault("", "", "is not JSON"), "is not JSON"),
    ],
)
def test_a_fault_is_told_in_one_line(fault: Fault, text: str) -> None:
    assert str(fault) == text


def test_an_error_is_shown_with_its_detail() -> None:
    assert str(PlaceTaken("here")) == "Another message already stands at this place. here"
    assert str(PlaceTaken()) == "Another message already stands at this place."
