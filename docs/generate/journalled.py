"""The table of everything that the journal tells of."""

import ast
from pathlib import Path

from docs.generate.rules import ON_THE_WIRE

from acmx.domain.exchange import Event

SOURCE = Path(__file__).parents[2] / "src" / "acmx"
EVENTS: dict[str, tuple[str, str]] = {
    "account-added": ("account", "an account was added, with these roles"),
    "account-approvals-set": (
        "account or `operator`",
        "how many operators it takes to give somebody a role, before and now",
    ),
    "account-change-asked": (
        "account",
        "something was asked for an account, and waits for a second operator",
    ),
    "account-change-refused": ("account", "what was asked for an account was refused, or taken back"),
    "account-chosen": (
        "account",
        "of several accounts with one MC service ID it is this one; the others were disabled",
    ),
    "account-changed": ("account", "an account has other roles or another mail address"),
    "account-enabled": ("account", "an account that was disabled can log on again"),
    "account-unlocked": ("account", "the failed log-ons of an account were forgotten"),
    "approvals-set": ("account", "how many people must approve with this partner, before and now"),
    "account-disabled": ("account", "nobody logs on with this account any more"),
    "clock-agrees": ("`clock`", "the clock is back where it was before it jumped: the doubt has ended"),
    "clock-confirmed": ("account", "the clock is right, says a person"),
    "database-changed": (
        "`database`",
        "the database failed over or was put back; acknowledged and `lost` are so many `exchanges` and `acts` at least",
    ),
    "acknowledged-and-gone": (
        "`database`",
        "the last of this exchange is gone, and comes back if the partner holds it; or this `act` of a `person` is",
    ),
    "clock-held": ("`clock`", "the clock is in doubt: nothing expires"),
    "comparison-asked": ("account", "a comparison with a partner was asked for"),
    "comparison-refused": ("partner", "what the partner said in a comparison was not believed"),
    "escalation": ("`clock`", "nobody has decided: others were told"),
    "evidence-taken": ("account", "the evidence of the exchange was taken away"),
    "expiry-near": ("`clock`", "a certificate or key ends in so many days: operators were told"),
    "logged-off": ("account", "a person logged off"),
    "metadata-published": ("`operator`", "this system says something else of itself: keys, certificates"),
    "partner-acceptance-refused": (
        "account",
        "other keys are pinned than were compared: nothing was accepted",
    ),
    "partner-metadata-confirmed": ("account", "what a partner had changed of itself was taken by a person"),
    "partner-metadata-refused": ("partner", "what a partner says of itself now was not taken, and why"),
    "partner-metadata-taken": ("partner", "keys, name, contact or kinds of a partner were followed"),
    "partner-metadata-waits": (
        "partner",
        "its address, certificates or realms have changed: a person decides",
    ),
    "partner-removed": ("account", "the partnership was ended, with the reason"),
    "partner-terms": ("account", "the terms for a partner, before and now"),
    "template-entered": ("account", "the template for a partner's documents was entered, with this version"),
    "provisioning-started": (
        "account or `policy`",
        "documents of the exchange began to be put on the CMS, or taken off it",
    ),
    "provisioning-not-started": (
        "`policy`",
        "what the partner changed could not be put on the CMS by itself, and why",
    ),
    "provisioning-ended": ("`provisioner`", "how many documents were written, unchanged, failed"),
    "provisioning-cancelled": ("account, `policy` or `provisioner`", "no more documents are written"),
    "provisioning-failed": ("`provisioner`", "the CMS does not serve what is to be put there, and why"),
    "password-changed": ("account", "a person changed the own password"),
    "mc-service-id-claimed": (
        "account",
        "a subject of the OpenID provider came with this MC service ID first",
    ),
    "mc-service-id-freed": (
        "account or `operator`",
        "the MC service ID of a subject of an OpenID provider, or of all of a former one, is free",
    ),
    "mc-service-id-shared": (
        "`acmx`",
        "several accounts have one MC service ID: none acts in its name until one is chosen",
    ),
    "identities-entered": ("account", "server identity information was entered, with this version"),
    "journal-forked": (
        "`sealer`",
        "shipped checkpoints of a history were found that the database does not hold: it was restored, or rewritten",
    ),
    "fork-acknowledged": ("account", "a person said why the journal forked"),
    "journal-exported": ("account", "the journal was exported or verified, from its beginning or a time on"),
    "log-on-refused": ("name given", "wrong password, unknown or disabled account"),
    "logged-on": ("account", "a person logged on"),
    "opened": (
        "account",
        "a person looked into the exchange or its answer: once a person, exchange and day (UTC)",
    ),
    "partner-accepted": ("account", "the partnership was accepted, or resumed"),
    "partner-added": ("account", "a partner's file was taken in; `digest` of the metadata that is pinned"),
    "partner-suspended": ("account", "the partnership was suspended"),
    "partnership-stated": ("partner", "what the partner says of the partnership has changed"),
    "policy-set": ("account", "a policy was set, with this version"),
    "purged": (
        "account",
        "so many bodies of the exchange, or rows of a provisioning job, were removed at the end of their retention",
    ),
    "refused": (
        "partner, account, address or `somebody`",
        "a message, call or connection was refused; what follows of the actor and type is one row a minute, `count`",
    ),
    "refused-there": (
        "partner",
        "the partner refused a message of ours for good; the exchange goes on as it is",
    ),
    "reminder": ("`clock`", "people were reminded"),
    "retry-now": ("account", "what waits was sent again at once"),
    "seen-pending": (
        "account",
        "the exchange was in the person's pending list for the first time (steps 10, 17)",
    ),
    "sent-again": ("partner", "the partner had lost a message of ours: it waits to be sent again"),
}
"""Beside the events of the transition table: who acts, and what happened."""


def events() -> str:
    lines = ["| event | actor | what happened |", "|---|---|---|"]
    rows = {name: (actor, what) for name, (actor, what) in EVENTS.items()}
    rows |= {str(event): ("of the exchange", f"on ACM-2: {ON_THE_WIRE[event]}") for event in Event}
    lines += [f"| `{name}` | {actor} | {what} |" for name, (actor, what) in sorted(rows.items())]
    return "\n".join(lines)


def named_in_code() -> set[str]:
    """The events that the calls of `journal.write` in the source name as text."""
    return {
        name
        for path in SOURCE.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and "journal.write" in ast.unparse(call)
        for name in _event_of(call)
    }


def _event_of(call: ast.Call) -> list[str]:
    """`journal.write(tx, at, EVENT, ...)`, or `partial(journal.write, event=EVENT, ...)`."""
    if ast.unparse(call.func) == "journal.write":
        given = [*call.args[2:3], *(keyword.value for keyword in call.keywords if keyword.arg == "event")]
    else:
        given = [keyword.value for keyword in call.keywords if keyword.arg == "event"]
    return [
        value.value for value in given if isinstance(value, ast.Constant) and isinstance(value.value, str)
    ]
