"""The rules of a request that both systems check, whatever its kind."""

from acmx.domain import identities
from acmx.domain.faults import Fault
from acmx.domain.messages import Addressee, Request
from acmx.kinds import GIVING


def faults(request: Request) -> list[Fault]:
    """What both systems check of a request, whatever its kind; only whoever asks names users."""
    found = [] if request.kind in GIVING else identities.faults_in_users(request.users)
    if request.kind in GIVING and request.users:
        found.append(
            Fault("users", f"{len(request.users)} users", "must be empty: the partner names its own")
        )
    if request.addressee is not None:
        found += _addressee_faults(request.addressee)
    for field in ("purpose", "reference"):
        text = getattr(request, field)
        if text is not None and not text.isprintable():
            found.append(Fault(field, text, "must not contain control characters"))
    if request.valid_until is not None and request.valid_until <= (request.valid_from or request.created_at):
        found.append(Fault("valid_until", request.valid_until.isoformat(), "must be after the beginning"))
    return found


def _addressee_faults(addressee: Addressee) -> list[Fault]:
    """Of an MC service ID, a functional alias, or both."""
    if addressee == Addressee():
        return [Fault("addressee", "", "must be an MC service ID, a functional alias, or both")]
    found = []
    for name in ("mc_service_id", "functional_alias"):
        text = getattr(addressee, name)
        try:
            if text is not None:
                identities.functional_alias(text)
        except identities.InvalidIdentity as fault:
            found.append(fault.fault(f"addressee.{name}"))
    return found
