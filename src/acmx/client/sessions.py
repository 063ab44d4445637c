"""The caller's own log-on."""

from acmx.client.calls import Calls
from acmx.domain.acm1 import Account, Credentials, PasswordChange, Session, SignIn, Standing


class SessionCalls(Calls):
    """How people log on, and who has."""

    def sign_in(self) -> SignIn:
        """How people log on here; asked without a token."""
        return self._connection.get("/", SignIn)

    def log_on(self, account: str, password: str) -> Session:
        """Steps 7 and 15; the token is used from now on. Raises LogOnRefused, TooManyAttempts."""
        session = self._connection.send("POST", "/sessions", Session, Credentials(account, password))
        self._connection.token = session.token
        return session

    def standing(self) -> Standing:
        """Whom the token stands for. Raises NotAuthenticated, InsufficientScope."""
        return self._connection.get("/session", Standing)

    def log_off(self) -> Standing:
        """The token of a local account ends."""
        return self._connection.send("DELETE", "/session", Standing)

    def change_password(self, current: str, new: str) -> Account:
        """Every session of the account ends, this one too. Raises LogOnRefused, NotAllowed, TooManyAttempts."""
        return self._connection.send("POST", "/password", Account, PasswordChange(current, new))
