"""Documents of ACM-1 as a server shows them."""

from acmx.domain.acm1 import Partner, Terms


def partner_shown(id_: str) -> Partner:
    """A partner with which the partnership is established."""
    return Partner(
        id=id_,
        name=id_,
        state="established",
        state_here="accepted",
        state_there="accepted",
        told=True,
        seen="0" * 64,
        address=f"https://acm.{id_}",
        contact="",
        thumbprints=[],
        spoken=[],
        certificates=[],
        hosts=[],
        phone_contexts=[],
        tel_prefixes=[],
        kinds=[],
        terms=Terms(max_open=1000, max_users=10_000, max_per_hour=3600),
        waiting=0,
    )
