"""Keys: what may sign, how its file is kept, and the record that publishes it."""

import re
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)
from structlog.testing import capture_logs

from domain.errors import Invalid
from mailer import signing_keys
from mailer.signing_domains import DkimSettings, Kind
from mailer.signing_keys import Ed25519Key

AnyKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def _section(path: Path) -> DkimSettings:
    return DkimSettings(domain="example.org", selector="helix1", key=path)


def _pem(
    key: AnyKey,
    form: PrivateFormat = PrivateFormat.PKCS8,
    lock: KeySerializationEncryption | None = None,
) -> bytes:
    return key.private_bytes(Encoding.PEM, form, lock or NoEncryption())


@pytest.mark.parametrize("kind", Kind)
def test_a_key_comes_back_from_its_file_which_is_its_owners_alone(tmp_path: Path, kind: Kind) -> None:
    path, key = tmp_path / "new" / "key.pem", signing_keys.generate(kind)
    signing_keys.write(key, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")  # PKCS#8
    with capture_logs() as logs:
        assert signing_keys.read(_section(path)).public == key.public
    assert logs == []


def test_no_key_is_ever_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    signing_keys.write(signing_keys.generate(Kind.ED25519), path)
    before = path.read_bytes()
    with pytest.raises(Invalid, match="nothing is overwritten"):
        signing_keys.write(signing_keys.generate(Kind.ED25519), path)
    assert path.read_bytes() == before


def test_the_older_form_of_an_rsa_key_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(_pem(rsa.generate_private_key(65537, 2048), PrivateFormat.TraditionalOpenSSL))
    assert signing_keys.read(_section(path)).kind is Kind.RSA


def test_a_key_that_others_can_read_is_used_and_told(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    signing_keys.write(signing_keys.generate(Kind.ED25519), path)
    path.chmod(0o644)
    with capture_logs() as logs:
        signing_keys.read(_section(path))
    assert [(entry["log_level"], entry["cure"]) for entry in logs] == [("warning", f"chmod 600 {path}")]


def _public_pem() -> bytes:
    public = rsa.generate_private_key(65537, 2048).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("content", "cure"),
    [
        (b"", "holds no private key in PEM form; `helixpost dkim generate` writes one"),
        (b"\xff\x00 not text", "holds no private key"),
        (b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n", "holds no private key"),
        (_public_pem(), "holds no private key"),
        (_pem(rsa.generate_private_key(65537, 1024)), "has 1024 bits; use 2048 to 4096"),
        (_pem(ec.generate_private_key(ec.SECP256R1())), "neither RSA nor Ed25519"),
        (
            _pem(rsa.generate_private_key(65537, 2048), lock=BestAvailableEncryption(b"secret")),
            "asks for a password; store it without one",
        ),
    ],
    ids=["empty", "binary", "broken", "public", "weak", "elliptic", "locked"],
)
def test_a_file_that_cannot_sign_is_refused_by_section_and_cure(
    tmp_path: Path, content: bytes, cure: str
) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(Invalid, match=rf"^\[\[dkim\]\] helix1 of example.org: key: .*{cure}"):
        signing_keys.read(_section(path))


def test_a_file_that_is_not_there_or_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"there is no file .*none\.pem; `helixpost dkim generate` writes one"):
        signing_keys.read(_section(tmp_path / "none.pem"))
    with pytest.raises(Invalid, match=r"cannot be read .*; it must belong to the service's user"):
        signing_keys.read(_section(tmp_path))


def test_an_ed25519_record_is_that_of_rfc_8463() -> None:
    private = b64decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")  # RFC 8463, A.2
    key = Ed25519Key(Ed25519PrivateKey.from_private_bytes(private))
    record = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    assert signing_keys.record_of(key) == record


def test_an_rsa_record_carries_the_public_key() -> None:
    key = signing_keys.generate(Kind.RSA)
    value = signing_keys.record_of(key).removeprefix("v=DKIM1; k=rsa; p=")
    public = load_der_public_key(b64decode(value, validate=True))
    assert isinstance(public, rsa.RSAPublicKey)
    assert (public.key_size, b64encode(key.public).decode()) == (2048, value)


def test_a_zone_entry_is_cut_into_strings_that_the_dns_takes() -> None:
    record = "v=DKIM1; k=rsa; p=" + "A" * 400
    entry = signing_keys.zone_entry("helix1._domainkey.example.org", record)
    assert entry.startswith('helix1._domainkey.example.org. IN TXT ( "v=DKIM1; ')
    strings = re.findall(r'"([^"]*)"', entry)
    assert ([len(string) for string in strings], "".join(strings)) == ([255, 163], record)
