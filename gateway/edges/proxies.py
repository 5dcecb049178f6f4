"""What a reverse proxy says of its caller: believed of peers that the operator named by address, and of nobody else."""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

FOR: Final = b"x-forwarded-for"
PROTO: Final = b"x-forwarded-proto"
CERTIFICATE: Final = b"client-cert"
"""The field of RFC 9440: the DER certificate as a byte sequence of structured fields."""

SCHEMES: Final = (b"http", b"https")

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
Fields = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What the proxy says; none where it says nothing that can be read.

    Args:
        client: The caller's address.
        scheme: http or https, as the caller sees it.
        x5t_s256: The thumbprint of the certificate with which the caller opened its connection to the proxy.
    """

    client: str | None
    scheme: str | None
    x5t_s256: str | None


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies in front of a listener.

    Args:
        networks: Their addresses.
        bring_certificates: Whether they check client certificates and put them into ``Client-Cert``, over what a caller
            may have put there.
    """

    networks: Sequence[Network] = ()
    bring_certificates: bool = False

    def trust(self, peer: str) -> bool:
        """Whether a peer is one of them."""
        if not self.networks:
            return False
        address = address_of(peer)
        return address is not None and any(address in each for each in self.networks)

    def read(self, fields: Fields) -> Forwarded:
        """What a trusted proxy says of its caller; the nearest hop that is no proxy of ours is the caller."""
        found: dict[bytes, list[bytes]] = {FOR: [], PROTO: [], CERTIFICATE: []}
        for name, value in fields:
            if name in found:
                found[name].append(value)
        hops = [each.strip().decode("latin-1") for each in b",".join(found[FOR]).split(b",")]
        scheme = b",".join(found[PROTO]).rpartition(b",")[2].strip().lower()
        return Forwarded(
            client=self._caller(hops),
            scheme=scheme.decode() if scheme in SCHEMES else None,
            x5t_s256=_thumbprint_in(found[CERTIFICATE]) if self.bring_certificates else None,
        )

    def _caller(self, hops: Sequence[str]) -> str | None:
        """The last hop that is no proxy of ours; what stands before it, anybody may have written."""
        for hop in reversed(hops):
            address = address_of(hop)
            if address is None or not self.trust(hop):
                return None if address is None else str(address)
        return None


def address_of(text: str) -> Address | None:
    """An address; one of version 4 that is written as one of version 6 is the one of version 4."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def is_loopback(peer: str) -> bool:
    """Whether a peer is on this machine; one without an address is nobody."""
    address = address_of(peer)
    return address is not None and address.is_loopback


def thumbprint(der: bytes) -> str:
    """``x5t#S256`` of RFC 8705: the SHA-256 of the certificate's DER in base64url without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def _thumbprint_in(values: Sequence[bytes]) -> str | None:
    """Of RFC 9440's byte sequence; two of them are none, for nobody can say which is the proxy's."""
    if len(values) != 1 or not (values[0].startswith(b":") and values[0].endswith(b":")):
        return None
    try:
        der = base64.b64decode(values[0][1:-1], validate=True)
    except binascii.Error:
        return None
    return thumbprint(der) if der else None
