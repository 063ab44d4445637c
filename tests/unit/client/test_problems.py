import msgspec
import pytest

from acmx.client.problems import MEDIA_TYPE, error_of
from acmx.domain import errors
from acmx.domain.errors import AcmxError, FaultyInput, Unreachable
from acmx.domain.faults import Fault
from acmx.domain.identities import InvalidIdentity

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, AcmxError) and "type" in vars(kind)
]


def problem(slug, **members):
    return msgspec.json.encode({"type": f"urn:acmx:problem:{slug}", "title": "No.", "status": 400, **members})


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_of_the_tree_is_raised_as_its_class(kind):
    error = error_of(kind.status, MEDIA_TYPE, problem(kind.type, detail="because", rule="r"))
    assert type(error) is kind
    assert error.detail == "because"
    assert error.members["rule"] == "r"


def test_the_faults_come_back_as_faults():
    sent = FaultyInput([Fault("users[3]", "x", "must begin with sip:")] * 120)
    body = problem("invalid-input", detail=sent.detail, **sent.members)
    got = error_of(422, f"{MEDIA_TYPE}; charset=utf-8", body)
    assert isinstance(got, FaultyInput)
    assert not isinstance(got, InvalidIdentity)
    assert got.faults == sent.faults[:100]
    assert got.members == sent.members
    assert str(got) == str(sent)


@pytest.mark.parametrize("type_", ["urn:acmx:problem:brand-new", "about:blank", "urn:other:not-found"])
def test_an_unknown_type_is_an_error_all_the_same(type_):
    document = {"type": type_, "title": "New.", "detail": "Here.", "hint": 1, "self": 2}
    error = error_of(418, MEDIA_TYPE, msgspec.json.encode(document))
    assert type(error) is AcmxError
    assert error.detail == "New. Here."
    assert error.members == {"type": type_, "hint": 1, "self": 2}


@pytest.mark.law(5)
@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("text/html", b"<h1>404</h1>"),
        ("", b""),
        (MEDIA_TYPE, b"<h1>"),
        (MEDIA_TYPE, b"[]"),
        (MEDIA_TYPE, b"\xff"),
    ],
)
def test_what_is_no_problem_document_is_not_the_word_of_an_acm_server(media_type, body):
    assert type(error_of(404, media_type, body)) is Unreachable


@pytest.mark.parametrize("faults", [None, ["odd"], [{"field": 1}], 7])
def test_faults_of_another_shape_do_no_harm(faults):
    assert isinstance(error_of(422, MEDIA_TYPE, problem("invalid-input", faults=faults)), FaultyInput)
