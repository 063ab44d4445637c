"""What is wrong with what stands around the server: proxies, metrics, traces."""

from collections.abc import Iterator
from ipaddress import ip_address

from acmx.config.addresses import endpoint, is_safe_url
from acmx.config.sections import Acm1, Config, Metrics, Traces
from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault

_LOCALHOST = "localhost"


def faults_of_proxies(config: Config) -> Iterator[Fault]:
    for field, proxies in (("acm1.proxies", config.acm1.proxies), ("acm2.proxies", config.acm2.proxies)):
        for address in proxies:
            if not _is_address(address):
                yield Fault(field, address[:255], "must be an IP address")


def faults_of_plain_http(acm1: Acm1) -> Iterator[Fault]:
    here = [acm1.listen.rpartition(":")[0].strip("[]"), *acm1.proxies]
    if not acm1.tls and not (acm1.proxies and all(map(_is_loopback, here))):
        rule = "may be false only on a loopback address, behind `proxies` on such addresses"
        yield Fault("acm1.tls", "false", rule)


def faults_of_metrics(metrics: Metrics) -> Iterator[Fault]:
    if not metrics.listen:
        return
    try:
        host, _ = endpoint(metrics.listen)
    except FaultyInput as error:
        yield Fault("metrics.listen", metrics.listen[:255], error.faults[0].rule)
        return
    if not _is_loopback(host):
        yield Fault(
            "metrics.listen", metrics.listen[:255], "must be a loopback address: whoever reaches it reads all"
        )


def faults_of_traces(traces: Traces) -> Iterator[Fault]:
    if traces.endpoint and not is_safe_url(traces.endpoint):
        yield Fault(
            "traces.endpoint", traces.endpoint[:255], "must begin with https://, or be on http and loopback"
        )


def _is_address(text: str) -> bool:
    try:
        return text == str(ip_address(text))
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == _LOCALHOST
