"""`acmx account`: who may log on at the ACM server, and in which roles."""

from typing import Annotated

import msgspec
from cyclopts import Parameter
from msgspec import UNSET

from acmx.cli.failures import DONE, NOT_YET, WrongUsageError, note
from acmx.cli.options import DEFAULTS, Options
from acmx.cli.people import passwords
from acmx.cli.session import profiles
from acmx.cli.terminal import cell, facts, out, table
from acmx.domain.acm1 import Account, AccountChange, Accounts, NewAccount

Name = Annotated[str, Parameter(name="NAME", help="The account's name.")]


def add(
    name: Name,
    /,
    *,
    mc_service_id: Annotated[str, Parameter(help="The MC service ID it stands for.")],
    role: Annotated[
        list[str], Parameter(consume_multiple=True, help="Its roles, such as requester, reviewer.")
    ],
    functional_alias: Annotated[
        list[str] | None,
        Parameter(consume_multiple=True, help="Functional aliases under which it is addressed."),
    ] = None,
    automatic: Annotated[
        bool, Parameter(help="A service account: its decisions are shown as automatic.")
    ] = False,
    mail: Annotated[str | None, Parameter(help="Where to write to when something concerns it.")] = None,
    options: Options = DEFAULTS,
) -> int:
    """Add an account. Its password comes from ACMX_PASSWORD or is asked for; else one is made up and shown.

    For example:

        acmx account add alice --mc-service-id sip:alice@mc.fire.example --role requester reviewer \\
            --mail alice@fire.example
    """
    password = passwords.new(name)
    with options.client() as client:
        new = NewAccount(
            name=name,
            mc_service_id=mc_service_id,
            roles=tuple(role),
            password=password.text,
            functional_aliases=tuple(functional_alias or ()),
            automatic=automatic,
            mail=mail,
        )
        account = client.add_account(new)
    password.tell(name)
    return _show(account, options)


def disable(name: Name, /, *, options: Options = DEFAULTS) -> int:
    """Disable an account: it cannot log on any more, its sessions end, and its MC service ID is free.

    For example:

        acmx account disable alice
    """
    with options.client() as client:
        return _show(client.disable_account(name), options)


def enable(name: Name, /, *, options: Options = DEFAULTS) -> int:
    """Enable an account that was disabled: it can log on again.

    For example:

        acmx account enable alice
    """
    with options.client() as client:
        return _show(client.enable_account(name), options)


def choose(name: Name, /, *, options: Options = DEFAULTS) -> int:
    """Of several accounts with one MC service ID, say whose it is; the others are disabled.

    Until then none of them acts in that person's name. For example:

        acmx account choose alice
    """
    with options.client() as client:
        return _show(client.choose_account(name), options)


def unlock(name: Name, /, *, options: Options = DEFAULTS) -> int:
    """Forget the failed log-ons of an account, and of where they came from: nobody has to wait any more.

    For example:

        acmx account unlock alice
    """
    with options.client() as client:
        return _show(client.unlock_account(name), options)


def change(
    name: Name,
    /,
    *,
    role: Annotated[
        list[str] | None, Parameter(consume_multiple=True, help="All its roles from now on.")
    ] = None,
    mail: Annotated[str | None, Parameter(help='Where to write to from now on; "" for nowhere.')] = None,
    options: Options = DEFAULTS,
) -> int:
    """Change an account, at once; what is not named stays.

    For example:

        acmx account set alice --role requester auditor --mail alice@fire.example
    """
    if role is None and mail is None:
        raise WrongUsageError("Name what is to change: --role, --mail")
    given = AccountChange(
        roles=UNSET if role is None else tuple(role), mail=UNSET if mail is None else mail or None
    )
    with options.client() as client:
        return _show(client.change_account(name, given), options)


def password(*, options: Options = DEFAULTS) -> None:
    """Change the password of your own account; all its other sessions end.

    The password so far comes from ACMX_PASSWORD or is asked for; the new one from ACMX_NEW_PASSWORD, or it is asked
    for, or made up and shown.

    For example:

        acmx account password
    """
    profile = profiles.load(options.profile)
    name = profile.session.account
    current = passwords.known(name)
    new = passwords.new(name, passwords.VARIABLE_OF_NEW)
    with options.client() as client:
        account = client.change_password(current, new.text)
        new.tell(name)
        session = client.log_on(name, new.text)
    profiles.replace(msgspec.structs.replace(profile, session=session))
    _show(account, options)


def list_all(*, options: Options = DEFAULTS) -> None:
    """List the accounts.

    For example:

        acmx account list
    """
    with options.client() as client:
        accounts = list(client.all_accounts())
    listed = table("account", "MC service ID", "roles", "")
    for account in accounts:
        listed.add_row(
            cell(account.name, "bold"),
            cell("\n".join([account.mc_service_id, *account.functional_aliases])),
            cell(", ".join(account.roles)),
            cell(_remarks(account)),
        )
    options.show(Accounts(accounts), lambda: out().print(listed))


def _show(account: Account, options: Options) -> int:
    """The exit status: whether it is done, or waits."""
    shown = facts(
        {
            "account": account.name,
            "MC service ID": account.mc_service_id,
            "functional aliases": ", ".join(account.functional_aliases),
            "roles": ", ".join(account.roles),
            "mail": account.mail,
            "": _remarks(account),
        }
    )
    options.show(account, lambda: out().print(shown))
    return waits(account.waiting)


def waits(change: str | None) -> int:
    """Say that a change waits, if one does; the exit status."""
    if change is None:
        return DONE
    note(f"This waits for another operator: acmx account approve {change}")
    return NOT_YET


def _remarks(account: Account) -> str:
    remarks = {
        "automatic": account.automatic,
        "disabled": account.disabled,
        f"waits ({account.waiting})": account.waiting,
        f"same MC service ID as {', '.join(account.shares_with) or 'others'}: acmx account choose": account.in_doubt,
    }
    return ", ".join(name for name, holds in remarks.items() if holds)
