import threading
import urllib.error
import urllib.request
from urllib.parse import urlencode

import pytest

from acmx.cli.people.loopback import Loopback
from acmx.domain.errors import LogOnRefused
from acmx.trust.code_flow import code_of
from acmx.trust.openid import Metadata

ISSUER = "https://login.fire.example"


def metadata(**changes):
    usual = {"authorization_response_iss_parameter_supported": True}
    return Metadata(ISSUER, f"{ISSUER}/jwks", f"{ISSUER}/auth", f"{ISSUER}/token", **(usual | changes))


def test_the_code_of_this_provider_is_taken():
    assert code_of(metadata(), {"code": "c", "iss": ISSUER}) == "c"
    silent = metadata(authorization_response_iss_parameter_supported=False)
    assert code_of(silent, {"code": "c"}) == "c"


@pytest.mark.parametrize("promised", [True, False])
def test_the_code_of_another_provider_is_not(promised):
    known = metadata(authorization_response_iss_parameter_supported=promised)
    with pytest.raises(LogOnRefused, match="another issuer"):
        code_of(known, {"code": "c", "iss": "https://elsewhere.example"})


def test_a_provider_that_says_its_name_always_does():
    with pytest.raises(LogOnRefused, match="another issuer"):
        code_of(metadata(), {"code": "c"})


def test_what_the_provider_says_against_it_is_told():
    with pytest.raises(LogOnRefused, match="access_denied not today"):
        code_of(metadata(), {"iss": ISSUER, "error": "access_denied", "error_description": "not today"})


class Browser(threading.Thread):
    """Goes to these addresses one after the other, and keeps the status of each."""

    def __init__(self, *addresses):
        super().__init__()
        self.addresses, self.statuses = addresses, []
        self.start()

    def run(self):
        for address in self.addresses:
            try:
                self.statuses.append(urllib.request.urlopen(address).status)
            except urllib.error.HTTPError as error:
                self.statuses.append(error.code)
                error.close()


def test_only_the_answer_with_the_state_is_taken():
    with Loopback("the-state") as loopback:
        assert loopback.address.startswith("http://127.0.0.1:")
        place, elsewhere = loopback.address, loopback.address.replace("/callback", "/favicon.ico")
        browser = Browser(
            elsewhere,
            place,
            f"{place}?{urlencode({'code': 'evil', 'state': 'another'})}",
            f"{place}?code=evil&state=the-state&state=another",
            f"{elsewhere}?code=evil&state=the-state",
            f"{place}?{urlencode({'code': 'good', 'state': 'the-state'})}",
        )
        assert loopback.wait(30) == {"code": "good", "state": "the-state"}
        browser.join()
    assert browser.statuses == [404, 404, 404, 404, 404, 200]


def test_patience_ends():
    with Loopback("the-state") as loopback, pytest.raises(LogOnRefused, match="nobody"):
        loopback.wait(0.01)
