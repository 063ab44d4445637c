"""Passwords: from ACMX_PASSWORD, typed on a terminal, or made up and shown once."""

import os
import secrets
from getpass import getpass

from msgspec import Struct

from acmx.cli.failures import WrongUsageError, note
from acmx.cli.terminal import is_interactive

VARIABLE = "ACMX_PASSWORD"
VARIABLE_OF_NEW = "ACMX_NEW_PASSWORD"


def known(account: str) -> str:
    """The password of an account that exists. Raises WrongUsageError where nobody can be asked."""
    if given := os.environ.get(VARIABLE):
        return given
    if not is_interactive():
        raise WrongUsageError(f"Set {VARIABLE}, or run this on a terminal to be asked for the password.")
    return getpass(f"Password of {account}: ")


class NewPassword(Struct, frozen=True):
    """A new password; one that was made up must be told."""

    text: str
    made_up: bool = False

    def tell(self, account: str) -> None:
        if self.made_up:
            note(f"Password of {account}, shown only now: {self.text}")


def new(account: str, variable: str = VARIABLE) -> NewPassword:
    """A new password. Raises WrongUsageError where it was typed differently the second time."""
    if given := os.environ.get(variable):
        return NewPassword(given)
    typed = getpass(f"New password of {account} (empty: one is made up): ") if is_interactive() else ""
    if not typed:
        return NewPassword(secrets.token_urlsafe(18), made_up=True)
    if getpass("The same again: ") != typed:
        raise WrongUsageError("The two passwords differ.")
    return NewPassword(typed)
