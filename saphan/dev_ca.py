"""A certificate authority for demonstrations and tests: it issues what is asked for at once and keeps no key.

Its private key lives in this process alone, so whoever trusts its certificate trusts what was issued here and nothing
that anybody could issue later. Its certificate is constrained to the hosts that it was made for (RFC 5280, 4.2.1.10).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600
SKEW: Final = timedelta(minutes=5)
"""How long before it was made a certificate is valid, for clocks that are a little late."""

ORGANIZATION: Final = "Saphan development, trust it for nothing else"
SIGNS_CERTIFICATES: Final = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
SIGNS_HANDSHAKES: Final = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority that can issue as long as this value lives.

    Args:
        certificate: Its own certificate, to be trusted.
        key: Its private key; it is never written.
        span: From when until when what it issues is valid.
    """

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    span: tuple[datetime, datetime]

    @property
    def pem(self) -> bytes:
        """Its certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def server(self, hosts: Sequence[str]) -> Issued:
        """A certificate of a server that is reached by these names and addresses."""
        return self._issue(hosts[0], [_general_name(each) for each in hosts], ExtendedKeyUsageOID.SERVER_AUTH)

    def client(self, name: str) -> Issued:
        """A certificate with which a member's program opens connections."""
        names = [x509.UniformResourceIdentifier(f"urn:saphan:member:{name}")]
        return self._issue(name, names, ExtendedKeyUsageOID.CLIENT_AUTH)

    def _issue(self, name: str, names: Sequence[x509.GeneralName], usage: x509.ObjectIdentifier) -> Issued:
        key, issuer = ec.generate_private_key(ec.SECP256R1()), self.key.public_key()
        builder = _builder(_name(name), self.certificate.subject, key.public_key(), self.span)
        extended = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(SIGNS_HANDSHAKES, critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
        )
        certificate = extended.sign(self.key, hashes.SHA256())
        return Issued(
            certificate.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )


def new_authority(hosts: Sequence[str], now: datetime, days: float) -> Authority:
    """A fresh authority that can vouch for these hosts and no others.

    Args:
        hosts: DNS names and addresses.
        now: The present, aware UTC; everything is valid from then on.
        days: For how long.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name, span = _name("development CA"), (now - SKEW, now + timedelta(days=days))
    permitted = [_permitted(each) for each in hosts]
    extended = (
        _builder(name, name, key.public_key(), span)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(SIGNS_CERTIFICATES, critical=True)
        .add_extension(x509.NameConstraints(permitted, excluded_subtrees=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    return Authority(extended.sign(key, hashes.SHA256()), key, span)


def write(folder: Path, name: str, issued: Issued, root: bytes) -> None:
    """Write ``ca.pem``, ``NAME.pem`` and ``NAME.key`` into a folder that only its owner may read."""
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    folder.chmod(PRIVATE_FOLDER)
    for file, data in (("ca.pem", root), (f"{name}.pem", issued.certificate), (f"{name}.key", issued.key)):
        part = folder / f"{file}.part"
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb") as opened:
            opened.write(data)
        part.replace(folder / file)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, span: tuple[datetime, datetime]
) -> x509.CertificateBuilder:
    start, end = span
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "TH"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _permitted(host: str) -> x509.GeneralName:
    """A host as a name constraint, which of addresses is a network."""
    try:
        network: IPv4Network | IPv6Network = ip_network(host)
    except ValueError:
        return x509.DNSName(host)
    return x509.IPAddress(network)
