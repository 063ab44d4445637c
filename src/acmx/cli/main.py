"""The `acmx` command: every command with its place, and what the exit status says."""

import io
import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Parameter

from acmx import __version__
from acmx.cli.failures import DONE, INTERRUPTED, WRONG_USAGE, WrongUsageError, note, tell, tell_usage
from acmx.domain.errors import AcmxError

app = App(
    name="acmx",
    help="ACM server and client: administrative configuration management between mission-critical systems.",
    version=__version__,
    help_format="plaintext",
    default_parameter=Parameter(negative=(), show_default=False),
    exit_on_error=False,
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)

_SERVER = "The server's directory"
for name in ("init", "serve", "backup", "restore"):
    app.command(f"acmx.cli.server:{name}", group=_SERVER)
app.command("acmx.cli.server:demo", group=_SERVER)

_EXCHANGES = "Exchanges"
request = App(name="request", help="Ask a partner MC system.", group=_EXCHANGES)
request.command("acmx.cli.request:server_identity", name="server-identity")
app.command(request)
for name in ("requests", "show", "pending", "fetch", "withdraw", "watch"):
    app.command(f"acmx.cli.exchanges:{name}", group=_EXCHANGES)
app.command("acmx.cli.review:review", group=_EXCHANGES)

_ADMINISTRATION = "Log-on and administration"
app.command("acmx.cli.login:login", group=_ADMINISTRATION)
app.command("acmx.cli.journal:audit", group=_ADMINISTRATION)

account = App(name="account", help="Who may log on, and in which roles.", group=_ADMINISTRATION)
account.command("acmx.cli.account:add")
account.command("acmx.cli.account:list_all", name="list")
account.command("acmx.cli.account:disable")
app.command(account)

identities = App(name="identities", help="This system's server identities.", group=_ADMINISTRATION)
identities.command("acmx.cli.identities:show")
identities.command("acmx.cli.identities:enter", name="set")
app.command(identities)

partner = App(name="partner", help="Partner MC systems.", group=_ADMINISTRATION)
for name in ("export", "add", "accept", "show", "suspend", "resume"):
    partner.command(f"acmx.cli.partner:{name}")
partner.command("acmx.cli.partner:list_all", name="list")
app.command(partner)

policy = App(name="policy", help="What is answered without a person.", group=_ADMINISTRATION)
policy.command("acmx.cli.policy:show")
policy.command("acmx.cli.policy:check")
policy.command("acmx.cli.policy:replace", name="set")
app.command(policy)


def run(tokens: Sequence[str]) -> int:
    """Carry out one command line; return the exit status. What is unexpected is raised."""
    try:
        result = app(tokens)
    except CycloptsError:
        return WRONG_USAGE
    except WrongUsageError as error:
        return tell_usage(error)
    except AcmxError as error:
        return tell(error)
    except KeyboardInterrupt:
        note("Interrupted.")
        return INTERRUPTED
    return result if isinstance(result, int) else DONE


def main() -> None:
    """The entry point of the `acmx` command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        status = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = INTERRUPTED
    sys.exit(status)
