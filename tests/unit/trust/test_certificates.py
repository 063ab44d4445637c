import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from acmx.domain.errors import FaultyInput
from acmx.trust import certificates

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HOSTS = ["acm.metro-police.example", "127.0.0.1", "2001:db8::7"]


def made(common_name: str = "metro-police.example") -> tuple[bytes, bytes]:
    return certificates.self_signed(common_name, HOSTS, now=NOW, days=365)


def test_a_certificate_names_its_hosts_by_name_and_by_address() -> None:
    names = x509.load_pem_x509_certificate(made()[0]).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.DNSName) == HOSTS[:1]
    assert names.value.get_values_for_type(x509.IPAddress) == [ip_address(host) for host in HOSTS[1:]]


def test_a_certificate_can_issue_no_other() -> None:
    extensions = x509.load_pem_x509_certificate(made()[0]).extensions
    assert extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign is False


def test_the_private_key_belongs_to_the_certificate() -> None:
    pem, key = made()
    private = load_pem_private_key(key, password=None)
    assert private.public_key() == x509.load_pem_x509_certificate(pem).public_key()


def test_validity_begins_an_hour_ago_and_ends_after_the_days_asked_for() -> None:
    pem, _ = made()
    assert x509.load_pem_x509_certificate(pem).not_valid_before_utc == NOW - timedelta(hours=1)
    assert certificates.not_after(pem.decode()) == NOW + timedelta(days=365)


def test_an_mc_system_id_longer_than_a_common_name_makes_a_certificate() -> None:
    subject = x509.load_pem_x509_certificate(made("a" * 60 + ".example")[0]).subject
    assert subject.rfc4514_string() == "CN=" + "a" * 60 + ".exa"


def test_the_fingerprint_is_the_one_openssl_sees() -> None:
    pem = made()[0].decode()
    assert certificates.fingerprint_of_pem(pem) == certificates.fingerprint(ssl.PEM_cert_to_DER_cert(pem))
    assert certificates.fingerprint(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_two_certificates_of_one_name_have_two_fingerprints() -> None:
    assert certificates.fingerprint_of_pem(made()[0].decode()) != certificates.fingerprint_of_pem(
        made()[0].decode()
    )


@pytest.mark.parametrize(
    "pem", ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "é"]
)
@pytest.mark.parametrize(
    "reader", [certificates.fingerprint_of_pem, certificates.der, certificates.not_after]
)
def test_what_is_no_certificate_is_refused(reader, pem) -> None:
    with pytest.raises(FaultyInput, match="certificate"):
        reader(pem)


def test_a_private_key_in_the_place_of_a_certificate_is_not_repeated_in_the_refusal() -> None:
    key = made()[1].decode()
    with pytest.raises(FaultyInput) as refusal:
        certificates.der(key)
    assert key.splitlines()[1][:40] not in str(refusal.value.members)
