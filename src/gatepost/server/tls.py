"""The certificate of the SMTP door and the contexts made of it.

STARTTLS is opportunistic (RFC 3207, RFC 7435): most senders take any certificate, so one signed by
ourselves, made at the first start, is better than clear text. A certificate that was replaced on disk
is taken at HUP; one that does not load leaves the old one in force. Only TLS 1.2 and 1.3 (RFC 8996):
a sender that has nothing newer than 1.1 falls back to clear text by itself.

Contexts are made by the parent before it forks, so that a session ticket of one worker holds in all.
"""

from __future__ import annotations

import datetime
import os
import ssl
from pathlib import Path

LIFETIME = datetime.timedelta(days=3650)
RENEW_BEFORE = datetime.timedelta(days=30)
CERTIFICATE = "self-signed.pem"
KEY = "self-signed.key"


class TlsError(Exception):
    """A certificate or key cannot be used; the text names the file and says why."""


class Certificate:
    """Where the certificate lies, and the context that is in force."""

    __slots__ = ("_certificate", "_key", "context")

    def __init__(self, certificate: str, key: str) -> None:
        self._certificate = certificate
        self._key = key
        self.context = server_context(certificate, key)

    def reload(self) -> None:
        """Take what lies on disk now; TlsError leaves the old context in force.

        A new context, not a change of the old one: handshakes that run go on with theirs.
        """
        self.context = server_context(self._certificate, self._key)


def open_certificate(
    certificate: str, key: str, data_dir: Path, hostname: str, now: datetime.datetime
) -> Certificate:
    """Return the configured certificate, or our own self-signed one, made if there is none yet."""
    if not certificate:
        certificate, key = self_signed(data_dir / "tls", hostname, now)
    return Certificate(certificate, key or certificate)


def server_context(certificate: str, key: str) -> ssl.SSLContext:
    """Make a context for accepting sessions."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A client that renegotiates makes us pay for a handshake each time (CVE-2011-1473).
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
    for path in dict.fromkeys((certificate, key)):
        try:
            with open(path, "rb"):  # noqa: PTH123 - only to learn whether we may
                pass
        except OSError as error:
            raise TlsError(f"{path}: {error.strerror}") from error
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise TlsError(f"{key}: this key does not belong to the certificate {certificate}") from error
        raise TlsError(
            f"{certificate}: not a usable PEM certificate with key ({error.reason or error})"
        ) from error
    except ValueError as error:
        raise TlsError(f"{key}: {error}") from error
    return context


def self_signed(folder: Path, hostname: str, now: datetime.datetime) -> tuple[str, str]:
    """Return certificate and key of our own, made if missing, for another name, or about to expire."""
    certificate, key = folder / CERTIFICATE, folder / KEY
    if not (key.is_file() and _still_good(certificate, hostname, now)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        pem, secret = _make(hostname, now)
        # The key first: a certificate is never there without the key that belongs to it but for the
        # moment between the two renames, and then it does not load and the next start makes both.
        _write(key, secret)
        _write(certificate, pem)
    return str(certificate), str(key)


def _still_good(path: Path, hostname: str, now: datetime.datetime) -> bool:
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        server_context(str(path), str(path.with_name(KEY)))
    except (OSError, ValueError, x509.ExtensionNotFound, TlsError):
        return False
    return _dns_name(hostname) in names.get_values_for_type(x509.DNSName) and (
        found.not_valid_after_utc - now > RENEW_BEFORE
    )


def _make(hostname: str, now: datetime.datetime) -> tuple[bytes, bytes]:
    """Make a P-256 key and a certificate for it: quick to make, quick in the handshake."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    # A common name holds at most 64 characters (RFC 5280, appendix A); the whole name is in the SAN.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _dns_name(hostname)[:64])])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A day back, for senders whose clock is slow.
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(_dns_name(hostname))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM), key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _dns_name(hostname: str) -> str:
    """Return the name as a certificate has it: ASCII, lower case."""
    try:
        return hostname.encode("idna").decode("ascii").lower() or "localhost"
    except UnicodeError:
        return "localhost"


def _write(path: Path, content: bytes) -> None:
    """Write whole or not at all, readable for us alone."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)


def _no_password() -> str:
    """A service cannot type: without this OpenSSL would ask at the terminal and wait."""
    raise ValueError("the key is protected by a password; Gatepost needs one without")
