import stat

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64encode

from acmx.domain.errors import FaultyInput, Misconfigured
from acmx.trust.keys import SigningKey, public_key, same_key, spoken, write_secret

RFC_8037_KEY = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
RFC_8037_THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def a_jwk(**changes: object) -> dict[str, object]:
    return {**SigningKey.generate().public_jwk, **changes}


def test_the_name_of_a_key_is_its_thumbprint_as_in_rfc_8037() -> None:
    assert public_key({**RFC_8037_KEY, "kid": RFC_8037_THUMBPRINT}).kid == RFC_8037_THUMBPRINT


def test_a_saved_key_is_loaded_as_the_same_key(tmp_path) -> None:
    key = SigningKey.generate()
    key.save(tmp_path / "signing.pem")
    assert SigningKey.load(tmp_path / "signing.pem").public_jwk == key.public_jwk


def test_only_the_owner_may_read_a_saved_key(tmp_path) -> None:
    SigningKey.generate().save(tmp_path / "signing.pem")
    assert stat.S_IMODE((tmp_path / "signing.pem").stat().st_mode) == 0o600


def test_a_secret_leaves_no_draft_beside_it(tmp_path) -> None:
    write_secret(tmp_path / "secret", b"the first")
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]


def test_a_secret_is_never_written_over_another(tmp_path) -> None:
    write_secret(tmp_path / "secret", b"the first")
    with pytest.raises(FileExistsError):
        write_secret(tmp_path / "secret", b"the second")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"the first"]


def test_a_key_of_another_kind_is_not_loaded(tmp_path) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "ec.pem").write_bytes(pem)
    with pytest.raises(Misconfigured, match="not an Ed25519 key"):
        SigningKey.load(tmp_path / "ec.pem")


@pytest.mark.parametrize("content", [None, b"", b"no PEM"])
def test_a_key_file_that_cannot_be_read_is_named(tmp_path, content) -> None:
    path = tmp_path / "signing.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Misconfigured, match=r"signing\.pem"):
        SigningKey.load(path)


def test_a_private_key_shows_itself_nowhere() -> None:
    key = SigningKey(OKPKey.import_key(ed25519.Ed25519PrivateKey.from_private_bytes(b"\7" * 32)))
    assert "d" not in key.public_jwk
    assert "okp" not in repr(key)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("kty", "EC"),
        ("kty", None),
        ("crv", "Ed448"),
        ("crv", "X25519"),
        ("x", None),
        ("x", 7),
        ("x", ""),
        ("x", "AAAA"),
        ("x", RFC_8037_KEY["x"] + "="),
        ("kid", None),
        ("kid", RFC_8037_THUMBPRINT),
        ("d", "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"),
    ],
)
def test_a_public_key_with_a_wrong_member_is_refused_by_its_name(member, value) -> None:
    with pytest.raises(FaultyInput) as refusal:
        public_key(a_jwk(**{member: value}))
    assert [fault.field for fault in refusal.value.faults] == [member]


def test_a_private_member_is_not_repeated_in_the_refusal() -> None:
    with pytest.raises(FaultyInput) as refusal:
        public_key(a_jwk(d="the-secret"))
    assert "the-secret" not in str(refusal.value)


def test_a_thumbprint_is_spoken_as_twelve_groups_of_five_digits() -> None:
    number = int.from_bytes(bytes(range(32)))
    groups = spoken(urlsafe_b64encode(bytes(range(32))).decode()).split(" ")
    assert [len(group) for group in groups] == [5] * 12
    assert "".join(groups) == str(number)[-60:]


@given(st.binary(min_size=32, max_size=32), st.integers(0, 255))
def test_thumbprints_that_differ_are_spoken_differently(digest, bit) -> None:
    other = (int.from_bytes(digest) ^ (1 << bit)).to_bytes(32)
    assert spoken(urlsafe_b64encode(digest).decode()) != spoken(urlsafe_b64encode(other).decode())


@given(st.text().filter(lambda text: len(text) != 43))
def test_what_is_no_thumbprint_is_not_spoken(text) -> None:
    with pytest.raises(FaultyInput):
        spoken(text)


@pytest.mark.parametrize(
    ("said", "is_it"),
    [
        (RFC_8037_THUMBPRINT, True),
        (f" {RFC_8037_THUMBPRINT}\n", True),
        (spoken(RFC_8037_THUMBPRINT), True),
        (spoken(RFC_8037_THUMBPRINT).replace(" ", "-"), True),
        (spoken(RFC_8037_THUMBPRINT).replace(" ", ""), True),
        (spoken(RFC_8037_THUMBPRINT)[:-1], False),
        (spoken(RFC_8037_THUMBPRINT)[6:], False),
        (RFC_8037_THUMBPRINT[:-1], False),
        (RFC_8037_THUMBPRINT.lower(), False),
        ("", False),
        ("\N{ARABIC-INDIC DIGIT ONE}" * 60, False),
    ],
)
def test_a_key_is_recognised_by_the_whole_of_what_was_said(said, is_it) -> None:
    assert same_key(said, RFC_8037_THUMBPRINT) is is_it
