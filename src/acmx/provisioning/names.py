"""The names of TS 24.484: namespaces, elements, application usages, MIME types, files."""

from collections.abc import Mapping

from msgspec import Struct

from acmx.domain.acm1 import Service

UE_NAMESPACE = "urn:3gpp:mcptt:mcpttUEinitConfig:1.0"
UE_ROOT = "mcptt-UE-initial-configuration"
UE_AUID = "org.3gpp.mcptt.ue-init-config"
UE_MIME = "application/vnd.3gpp.mcptt-ue-init-config+xml"
OWN_NAMESPACE = "urn:acmx:server-identity:1.0"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class Profile(Struct, frozen=True):
    """The user profile document of one MC service, and the entry in it for a partner MC system.

    `entry` and `id` are certain for MCVideo only; the others are named by analogy and can be configured, as can
    the namespace of MCData.
    """

    namespace: str
    root: str
    auid: str
    mime: str
    entry: str
    id: str

    def file(self, index: int) -> str:
        return f"{self.root}-{index}.xml"


def _profile(service: str, namespace: str, infix: str) -> Profile:
    root = f"{service}-user-profile"
    return Profile(
        namespace=namespace,
        root=root,
        auid=f"org.3gpp.{service}.user-profile",
        mime=f"application/vnd.3gpp.{root}+xml",
        entry=f"MigratablePartner{infix}SystemInfo",
        id=f"Partner{infix}SystemId",
    )


PROFILES: Mapping[Service, Profile] = {
    "mcptt": _profile("mcptt", "urn:3gpp:mcptt:user-profile:1.0", "MCPTT"),
    "mcvideo": _profile("mcvideo", "urn:3gpp:ns:mcvideo:user-profile:1.0", "MCVideo"),
    "mcdata": _profile("mcdata", "urn:3gpp:ns:mcdata:user-profile:1.0", "MCData"),
}


def ue(name: str) -> str:
    """The qualified name of an element of the UE initial configuration document."""
    return f"{{{UE_NAMESPACE}}}{name}"
