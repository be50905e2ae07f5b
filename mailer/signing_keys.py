"""Signing keys: the private keys of DKIM, their files, and the DNS records that go with them."""

import os
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from domain.errors import Invalid
from mailer.signing_domains import DkimSettings, Kind

SMALLEST, LARGEST = 2048, 4096
"""Bits of an RSA key: a signer should have the first, a receiver need not take more than the second
(RFC 8301, 3.2)."""
_LONGEST_STRING = 255
"""Characters of one string in a TXT record (RFC 1035, 3.3)."""
_OTHERS = 0o007

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RsaKey:
    """Every receiver can check it."""

    private: RSAPrivateKey
    kind: ClassVar[Kind] = Kind.RSA

    def sign(self, data: bytes) -> bytes:
        """Return the signature (RFC 6376, 3.3.1: PKCS#1 version 1.5); takes 0.7 ms without the GIL."""
        return self.private.sign(data, PKCS1v15(), SHA256())

    @property
    def public(self) -> bytes:
        """The public key as the record carries it."""
        return self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True, slots=True)
class Ed25519Key:
    """Small and fast; only some receivers can check it, so it signs beside an RSA key."""

    private: Ed25519PrivateKey
    kind: ClassVar[Kind] = Kind.ED25519

    def sign(self, data: bytes) -> bytes:
        """Return the signature of the data's SHA-256 (RFC 8463, 3)."""
        return self.private.sign(sha256(data).digest())

    @property
    def public(self) -> bytes:
        """The public key as the record carries it (RFC 8463, 4.2)."""
        return self.private.public_key().public_bytes_raw()


SigningKey = RsaKey | Ed25519Key


def generate(kind: Kind) -> SigningKey:
    """Return a new key."""
    if kind is Kind.ED25519:
        return Ed25519Key(Ed25519PrivateKey.generate())
    return RsaKey(rsa.generate_private_key(public_exponent=65537, key_size=SMALLEST))


def read(section: DkimSettings) -> SigningKey:
    """Return a section's key; raises `Invalid` for one that is not there, broken or weak."""
    place, path = f"{section.place}: key", section.key
    try:
        text = path.read_bytes()
        exposed = os.name == "posix" and path.stat().st_mode & _OTHERS
    except FileNotFoundError:
        raise Invalid(place, f"there is no file {path}; `helixpost dkim generate` writes one") from None
    except OSError as error:
        reason = f"{path} cannot be read ({error.strerror}); it must belong to the service's user"
        raise Invalid(place, reason) from None
    key = _parse(text, place, path)
    if exposed:
        # Secrets that are mounted into a container look like this too: said, not refused.
        log.warning("dkim_key_open_to_others", section=section.place, cure=f"chmod 600 {path}")
    return key


def write(key: SigningKey, path: Path) -> None:
    """Write a key to a new file that only its owner can read; raises `Invalid` when the file exists."""
    pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Invalid(str(path), "this file exists; move it away first, nothing is overwritten") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink()  # half a key would stand in the way of the next attempt
        raise


def record_of(key: SigningKey) -> str:
    """Return the value of the TXT record that publishes a key (RFC 6376, 3.6.1)."""
    return f"v=DKIM1; k={key.kind}; p={b64encode(key.public).decode()}"


def zone_entry(name: str, record: str) -> str:
    """Return a record as a line of a zone file, in strings as long as the DNS takes."""
    starts = range(0, len(record), _LONGEST_STRING)
    strings = " ".join(f'"{record[start : start + _LONGEST_STRING]}"' for start in starts)
    return f"{name}. IN TXT ( {strings} )"


def _parse(text: bytes, place: str, path: Path) -> SigningKey:
    try:
        key = load_pem_private_key(text, password=None)
    except TypeError:
        raise Invalid(place, f"{path} asks for a password; store it without one, with mode 600") from None
    except (ValueError, UnsupportedAlgorithm):
        reason = f"{path} holds no private key in PEM form; `helixpost dkim generate` writes one"
        raise Invalid(place, reason) from None
    if isinstance(key, Ed25519PrivateKey):
        return Ed25519Key(key)
    if not isinstance(key, RSAPrivateKey):
        raise Invalid(place, f"{path} is neither RSA nor Ed25519; receivers check only these")
    if not SMALLEST <= key.key_size <= LARGEST:
        raise Invalid(place, f"{path} has {key.key_size} bits; use {SMALLEST} to {LARGEST} (RFC 8301)")
    return RsaKey(key)
