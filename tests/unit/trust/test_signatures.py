import hashlib
import json
from base64 import urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import assume, given
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

from acmx.domain.errors import BadSignature, ClockAhead
from acmx.trust.keys import SigningKey, VerifyKey, public_key
from acmx.trust.signatures import Seal, body_digest, sign, verify

KEY = SigningKey(OKPKey.import_key(Ed25519PrivateKey.from_private_bytes(bytes(range(32)))))
OTHER = SigningKey.generate()
BODY = b'{"type":"request"}'
NOW = 1_800_000_000
EXCHANGE = "police.example/01890a5d-ac96-774b-bcce-b302099a8057"
NAMES = {"iss": "police.example", "aud": "fire.example", "typ": "acm-message", "exchange": EXCHANGE, "n": 1}


def signed(key: SigningKey = KEY, body: bytes = BODY, iat: int = NOW, **changes) -> str:
    return sign(key, body, iat=iat, **{**NAMES, **changes})


def verified(
    value: str | None, body: bytes = BODY, keys: dict[str, VerifyKey] | None = None, **changes
) -> Seal:
    keys = {KEY.kid: public_key(KEY.public_jwk)} if keys is None else keys
    return verify(value, body, keys, **{**NAMES, "now": NOW, **changes})


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def handmade(protected: object, body: bytes = BODY) -> str:
    """A signature by our key over whatever header an attacker, or another team, may write."""
    header = b64(protected if isinstance(protected, bytes) else json.dumps(protected).encode())
    signature = KEY.okp.private_key.sign(f"{header}.{b64(body)}".encode())
    return f"{header}..{b64(signature)}"


HEADER = {"alg": "Ed25519", "kid": KEY.kid, "iat": NOW, **NAMES}


def test_a_signature_says_who_when_to_whom_and_about_what() -> None:
    assert verified(signed()) == Seal(kid=KEY.kid, iat=NOW, **NAMES)


def test_metadata_and_partnership_name_no_exchange() -> None:
    about = {"typ": "acm-metadata", "exchange": None, "n": None}
    header = signed(**about).split(".")[0]
    assert header == b64(
        f'{{"alg":"Ed25519","kid":"{KEY.kid}","iss":"police.example","aud":"fire.example",'
        f'"iat":{NOW},"typ":"acm-metadata"}}'.encode()
    )
    assert verified(signed(**about), **about).exchange is None


def test_the_signature_input_is_header_dot_body_in_base64url() -> None:
    assert signed() == handmade(json.dumps(HEADER_AS_WE_WRITE_IT, separators=(",", ":")).encode())


HEADER_AS_WE_WRITE_IT = {
    name: HEADER[name] for name in ("alg", "kid", "iss", "aud", "iat", "typ", "exchange", "n")
}


def test_a_header_with_other_order_and_spacing_is_taken_as_sent() -> None:
    text = json.dumps(dict(reversed(HEADER.items())), indent=2).encode()
    assert verified(handmade(text)).iss == "police.example"


@given(st.binary(max_size=300))
def test_any_body_is_signed_and_verified(body) -> None:
    assert verified(signed(body=body), body).n == 1


def test_a_body_of_eight_megabytes_is_signed_and_verified() -> None:
    body = b"x" * 8 * 1024 * 1024
    assert verified(signed(body=body), body).n == 1


def test_the_longest_names_fit_the_header() -> None:
    iss, aud = "p" * 253, "f" * 253
    exchange = f"{iss}/01890a5d-ac96-774b-bcce-b302099a8057"
    assert (
        verified(signed(iss=iss, aud=aud, exchange=exchange), iss=iss, aud=aud, exchange=exchange).aud == aud
    )


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_another_body_is_refused(body, other) -> None:
    assume(body != other)
    with pytest.raises(BadSignature, match="does not fit the body"):
        verified(signed(body=body), other)


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_signature_is_refused(value) -> None:
    with pytest.raises(BadSignature, match="no ACM-Signature"):
        verified(value)


@pytest.mark.parametrize(
    "value",
    [
        "x",
        "..",
        "a.b",
        "a.b.c",
        "a..b.c",
        "é..é",
        signed().replace("..", f".{b64(BODY)}."),
        "A" * 5000 + "..AA",
        b64(b"[" * 1500) + "..AA",
        b64(b"\xff\xfe{}") + "..AA",
        b64(b'{"alg":"Ed25519"}') + "..AA",
        signed() + "A",
        signed()[:-2],
        signed().split("..")[0] + "..",
    ],
)
def test_a_malformed_signature_is_refused(value) -> None:
    with pytest.raises(BadSignature):
        verified(value)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text) -> None:
    with pytest.raises(BadSignature):
        verified(text)


@given(st.data())
def test_no_single_changed_character_is_accepted(data) -> None:
    value = signed()
    at = data.draw(st.integers(0, len(value) - 1))
    new = data.draw(st.sampled_from("ABCwxyz019-_.=+/"))
    assume(value[at] != new)
    with pytest.raises(BadSignature):
        verified(value[:at] + new + value[at + 1 :])


@pytest.mark.parametrize("alg", ["none", "EdDSA", "HS256", "ES256", "ed25519", "", None])
def test_no_other_algorithm_is_taken(alg) -> None:
    with pytest.raises(BadSignature, match="alg"):
        verified(handmade({**HEADER, "alg": alg}))


def test_a_header_without_an_algorithm_is_refused() -> None:
    with pytest.raises(BadSignature, match="alg"):
        verified(handmade({name: value for name, value in HEADER.items() if name != "alg"}))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("jwk", KEY.public_jwk),
        ("jku", "https://evil.example/keys"),
        ("x5c", ["MIIB"]),
        ("x5u", "https://evil.example/x"),
        ("crit", ["exp"]),
        ("b64", False),
        ("sender", "police.example"),
    ],
)
def test_no_further_member_is_taken_from_the_header(member, value) -> None:
    with pytest.raises(BadSignature, match=f"unknown field `{member}`"):
        verified(handmade({**HEADER, member: value}))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("kid", None),
        ("iss", 7),
        ("aud", ["fire.example"]),
        ("iat", "1800000000"),
        ("iat", 1800000000.5),
        ("iat", True),
        ("iat", -1),
        ("iat", 10**15),
        ("typ", "JWT"),
        ("exchange", 1),
        ("n", "1"),
        ("n", 0),
    ],
)
def test_a_member_of_the_wrong_type_is_refused_by_its_name(member, value) -> None:
    with pytest.raises(BadSignature, match=rf"\$\.{member}"):
        verified(handmade({**HEADER, member: value}))


def test_a_refusal_repeats_little_of_what_it_was_sent() -> None:
    for changes in ({"kid": "k" * 1000}, {"typ": "t" * 1000}, {"u" * 1000: 1}):
        with pytest.raises(BadSignature) as refusal:
            verified(handmade({**HEADER, **changes}))
        assert len(refusal.value.detail) < 200


def test_a_key_that_is_not_pinned_for_the_partner_is_refused() -> None:
    with pytest.raises(BadSignature, match="has no key"):
        verified(signed(OTHER))


def test_another_key_under_a_pinned_name_is_refused() -> None:
    with pytest.raises(BadSignature, match="does not fit"):
        verified(signed(), keys={KEY.kid: public_key(OTHER.public_jwk)})


@pytest.mark.parametrize(
    ("member", "value", "reason"),
    [
        ("iss", "rail.example", "as its sender"),
        ("aud", "rail.example", "not made for rail.example"),
        ("typ", "acm-receipt", "another type of body"),
        ("typ", ("acm-receipt", "acm-refusal"), "another type of body"),
        ("exchange", EXCHANGE[:-1] + "8", "another exchange or message"),
        ("exchange", None, "another exchange or message"),
        ("n", 2, "another exchange or message"),
        ("n", None, "another exchange or message"),
    ],
)
def test_a_signature_made_for_something_else_is_refused_with_the_reason(member, value, reason) -> None:
    with pytest.raises(BadSignature, match=reason):
        verified(signed(), **{member: value})


def test_one_of_several_types_is_accepted() -> None:
    assert verified(signed(typ="acm-refusal"), typ={"acm-receipt", "acm-refusal"}).typ == "acm-refusal"


@pytest.mark.law(3)
def test_an_old_signature_is_accepted_as_freshness_is_no_replay_protection() -> None:
    assert verified(signed(iat=NOW - 120 * 86_400)).iat == NOW - 120 * 86_400


@pytest.mark.law(2)
def test_a_renewed_signature_of_the_same_body_is_accepted_with_the_next_key() -> None:
    keys = {key.kid: public_key(key.public_jwk) for key in (KEY, OTHER)}
    assert verified(signed(OTHER, iat=NOW + 9), keys=keys, now=NOW + 9).kid == OTHER.kid


def test_a_clock_five_minutes_ahead_is_borne() -> None:
    assert verified(signed(iat=NOW + 300)).iat == NOW + 300


def test_a_clock_further_ahead_is_refused_with_both_times() -> None:
    with pytest.raises(ClockAhead) as refusal:
        verified(signed(iat=NOW + 301))
    assert refusal.value.members == {
        "signed_at": "2027-01-15T08:05:01Z",
        "received_at": "2027-01-15T08:00:00Z",
    }


def test_the_last_second_of_a_key_is_accepted() -> None:
    verified(signed(iat=NOW), keys={KEY.kid: public_key(KEY.public_jwk, ends=NOW)})


def test_a_signature_made_after_the_end_of_its_key_is_refused() -> None:
    with pytest.raises(BadSignature, match="after its end, 2027-01-15T08:00:00Z"):
        verified(signed(iat=NOW + 1), keys={KEY.kid: public_key(KEY.public_jwk, ends=NOW)})


def test_a_signature_made_before_the_end_of_its_key_is_accepted_later() -> None:
    keys = {KEY.kid: public_key(KEY.public_jwk, ends=NOW)}
    assert verified(signed(iat=NOW), keys=keys, now=NOW + 86_400).iat == NOW


def test_the_digest_of_a_body_is_its_sha_256() -> None:
    assert body_digest(BODY) == hashlib.sha256(BODY).hexdigest()
