"""The `acmx` command: every command with its place, and what the exit status says."""

import io
import os
import sys
from collections.abc import Callable, Sequence

from cyclopts import App, CycloptsError, Parameter

from acmx import __version__
from acmx.cli.evidence import audit, evidence, journal
from acmx.cli.exchange import exchanges, give, questions, request, review, revoke
from acmx.cli.failures import DONE, INTERRUPTED, WRONG_USAGE, WrongUsageError, note, tell, tell_usage
from acmx.cli.holdings import identities
from acmx.cli.operations import certificates, health, keys, notices, outbox, server
from acmx.cli.partnership import accept, approvals, partner, partner_changes, terms
from acmx.cli.people import account, account_changes, login
from acmx.cli.policy import policy, policy_explain, policy_tables, policy_trial
from acmx.cli.provisioning import provision, template
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


def _offer(place: App, *commands: Callable[..., object], group: str | None = None) -> None:
    for command in commands:
        place.command(command, group=group)


def _part(name: str, text: str, group: str) -> App:
    part = App(name=name, help=text, group=group)
    app.command(part)
    return part


_SERVER = "The server's directory"
_offer(
    app, server.init, server.serve, server.doctor, server.backup, server.restore, server.demo, group=_SERVER
)
_offer(app, server.migrate, group=_SERVER)

_keys = _part("keys", "The keys that sign for this MC system.", _SERVER)
_keys.command(keys.list_all, name="list")
_offer(_keys, keys.rotate, keys.revoke)
_certificates = _part("certificates", "The TLS certificates.", _SERVER)
_certificates.command(certificates.list_all, name="list")
_certificates.command(certificates.publish_next, name="next")
_offer(_certificates, certificates.switch)

_EXCHANGES = "Exchanges"
_offer(_part("request", "Ask a partner MC system.", _EXCHANGES), request.server_identity)
_offer(
    _part("give", "Give a partner MC system our configuration, unasked.", _EXCHANGES), give.server_identity
)
_offer(app, exchanges.requests, exchanges.show, exchanges.pending, review.review, group=_EXCHANGES)
_offer(app, revoke.revoke, questions.ask, questions.answer, group=_EXCHANGES)
_offer(app, exchanges.fetch, exchanges.withdraw, exchanges.watch, group=_EXCHANGES)

_DEVICES = "From answer to device"
_offer(app, provision.provision, group=_DEVICES)
_template = _part("template", "What is kept for the documents of a partner.", _DEVICES)
_offer(_template, template.show)
_template.command(template.enter, name="set")

_ADMINISTRATION = "Log-on and administration"
_offer(app, login.login, login.logout, notices.news, notices.notices, group=_ADMINISTRATION)

_EVIDENCE = "Evidence"
_audit = _part("audit", "The journal: read it (acmx audit --limit 50), verify it, take it away.", _EVIDENCE)
_audit.default(journal.audit)
_offer(_audit, audit.checkpoint, audit.verify, audit.export, audit.acknowledge)
_evidence = _part(
    "evidence", "Write what proves an exchange (acmx evidence ID -o FILE), or verify it.", _EVIDENCE
)
_evidence.default(evidence.take)
_offer(_evidence, evidence.verify)
_offer(app, evidence.purge, group=_EVIDENCE)

_account = _part("account", "Who may log on, and in which roles.", _ADMINISTRATION)
_offer(_account, account.add, account.disable, account.enable, account.unlock, account.password)
_offer(_account, account.choose, account_changes.changes, account_changes.approve, account_changes.refuse)
_offer(_account, account_changes.approvals, account_changes.recover)
_offer(_account, account_changes.vouched, account_changes.free)
_account.command(account.change, name="set")
_account.command(account.list_all, name="list")

_identities = _part("identities", "This system's server identity information.", _ADMINISTRATION)
_offer(_identities, identities.show, identities.holders)
_identities.command(identities.enter, name="set")
_identities.command(identities.take_over, name="import")

_partner = _part("partner", "The partner MC systems.", _ADMINISTRATION)
_offer(_partner, partner.export, partner.add, accept.accept, partner.show, partner.suspend, partner.resume)
_offer(_partner, partner.remove, partner.check, partner.compare, approvals.approvals)
_offer(_partner, partner_changes.changes, partner_changes.confirm)
_partner.command(terms.set_terms, name="set")
_partner.command(partner.list_all, name="list")

_policy = _part("policy", "What is answered without a person.", _ADMINISTRATION)
_offer(_policy, policy.show, policy.check)
_policy.command(policy.replace, name="set")
_policy.command(policy_trial.try_out, name="try")
_offer(_policy, policy_explain.explain, policy_tables.facts, policy_tables.roles)


_OPERATIONS = "Operations"
_offer(app, health.health, group=_OPERATIONS)
_outbox = _part("outbox", "What waits for partners.", _OPERATIONS)
_outbox.default(outbox.show)
_offer(_outbox, outbox.retry)
_offer(_part("clock", "The server's clock.", _OPERATIONS), health.confirm)


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
    except (
        FileNotFoundError,
        FileExistsError,
        IsADirectoryError,
        NotADirectoryError,
        PermissionError,
    ) as error:
        return tell(AcmxError(f"{error.filename}: {error.strerror}"))
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
