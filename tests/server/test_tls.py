"""A certificate is there from the first start, a bad one is named, and a reload never makes it worse."""

import datetime
import shutil
import socket
import ssl
import threading
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from gatepost.server.tls import TlsError, open_certificate, self_signed, server_context

NOW = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> tuple[str | None, bytes]:
    """Return the protocol and the certificate (DER) that the client sees."""
    here, there = socket.socketpair()

    def answer() -> None:
        try:
            with server.wrap_socket(there, server_side=True) as done:
                done.recv(1)
        except OSError:
            there.close()

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        with client.wrap_socket(here, server_hostname=name) as talking:
            return talking.version(), talking.getpeercert(True) or b""
    finally:
        here.close()
        thread.join(5)


def trusting_anyone() -> ssl.SSLContext:
    """As a sender that speaks TLS when it can: it does not look at the name."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def test_the_first_start_makes_a_certificate(tmp_path: Path) -> None:
    """Private to us, for our name, and it can be trusted by who pins it."""
    certificate, key = self_signed(tmp_path / "tls", "MX.Example.org", datetime.datetime.now(datetime.UTC))
    assert Path(key).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "tls").stat().st_mode & 0o777 == 0o700
    context = ssl.create_default_context(cafile=certificate)
    assert shake_hands(server_context(certificate, key), context, "mx.example.org")[0] == "TLSv1.3"
    assert sorted(path.name for path in (tmp_path / "tls").iterdir()) == [
        "self-signed.key",
        "self-signed.pem",
    ]


def test_the_second_start_keeps_it(tmp_path: Path) -> None:
    """Senders that remember it see the same one again, for years."""
    certificate, _ = self_signed(tmp_path, "mx.example.org", NOW)
    before = Path(certificate).read_bytes()
    self_signed(tmp_path, "mx.example.org", NOW + datetime.timedelta(days=3600))
    assert before == Path(certificate).read_bytes()
    self_signed(tmp_path, "mx.example.org", NOW + datetime.timedelta(days=3640))
    assert before != Path(certificate).read_bytes(), "about to expire"


@pytest.mark.parametrize("harm", ["name", "no key", "other key", "garbage"])
def test_one_that_cannot_be_used_is_made_anew(tmp_path: Path, harm: str) -> None:
    """Another host name, a crash between the two files, a damaged file."""
    certificate, key = self_signed(tmp_path, "mx.example.org", NOW)
    before = Path(certificate).read_bytes()
    match harm:
        case "no key":
            Path(key).unlink()
        case "other key":
            shutil.copy(self_signed(tmp_path / "other", "x.example", NOW)[1], key)
        case "garbage":
            Path(certificate).write_text("nothing")
    self_signed(tmp_path, "other.example" if harm == "name" else "mx.example.org", NOW)
    assert before != Path(certificate).read_bytes()
    server_context(certificate, key)


@pytest.mark.parametrize("hostname", ["localhost", "müller.example", "x" * 63 + ".example", "..", ""])
def test_odd_host_names(tmp_path: Path, hostname: str) -> None:
    """Whatever the machine calls itself, there is a certificate."""
    server_context(*self_signed(tmp_path, hostname, NOW))


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_protocols_are_refused(tmp_path: Path) -> None:
    """RFC 8996: no TLS 1.0 and 1.1."""
    server = server_context(*self_signed(tmp_path, "mx.example.org", NOW))
    old = trusting_anyone()
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        shake_hands(server, old, "mx.example.org")
    middle = trusting_anyone()
    middle.maximum_version = ssl.TLSVersion.TLSv1_2
    assert shake_hands(server, middle, "mx.example.org")[0] == "TLSv1.2"


def test_reload_takes_the_new_and_keeps_the_old_in_need(tmp_path: Path) -> None:
    """A renewed certificate is in force after HUP; a broken one is reported and changes nothing."""
    authority = trustme.CA()
    chain, key = tmp_path / "cert.pem", tmp_path / "key.pem"

    def install() -> None:
        leaf = authority.issue_cert("mx.example.org")
        chain.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        leaf.private_key_pem.write_to_path(str(key))

    install()
    held = open_certificate(str(chain), str(key), tmp_path, "mx.example.org", NOW)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    first = shake_hands(held.context, client, "mx.example.org")
    install()
    assert first[1] == shake_hands(held.context, client, "mx.example.org")[1]
    held.reload()
    second = shake_hands(held.context, client, "mx.example.org")
    assert first[1] != second[1]
    chain.write_text("half a file")
    with pytest.raises(TlsError, match=r"cert\.pem"):
        held.reload()
    assert second[1] == shake_hands(held.context, client, "mx.example.org")[1]
    assert not (tmp_path / "tls").exists(), "no self-signed one where one is configured"


def test_certificate_and_key_may_be_one_file(tmp_path: Path) -> None:
    """An empty `tls_key` means that the key is in the certificate's file."""
    both = tmp_path / "both.pem"
    trustme.CA().issue_cert("mx.example.org").private_key_and_cert_chain_pem.write_to_path(str(both))
    assert open_certificate(str(both), "", tmp_path, "mx.example.org", NOW).context


def test_each_fault_names_its_file(tmp_path: Path) -> None:
    """Missing, foreign, protected by a password, no PEM: one line that says which."""
    certificate, key = self_signed(tmp_path / "one", "a.example", NOW)
    other = self_signed(tmp_path / "two", "b.example", NOW)[1]
    with pytest.raises(TlsError, match=r"none\.pem: No such file"):
        server_context(str(tmp_path / "none.pem"), key)
    with pytest.raises(TlsError, match=r"two/self-signed\.key: this key does not belong to the certificate"):
        server_context(certificate, other)
    with pytest.raises(TlsError, match="not a usable PEM"):
        server_context("/dev/null", key)
    locked = tmp_path / "locked.key"
    secret = serialization.load_pem_private_key(Path(key).read_bytes(), None)
    locked.write_bytes(
        secret.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"x"),
        )
    )
    with pytest.raises(TlsError, match=r"locked\.key: the key is protected by a password"):
        server_context(certificate, str(locked))
