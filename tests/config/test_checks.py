"""`config check` finds what does not fit this machine, and changes nothing."""

import os
from pathlib import Path

import pytest
import trustme

from gatepost.config import check, load
from gatepost.config.problems import Problem


def found(tmp_path: Path, **values: str) -> list[Problem]:
    """What is wrong with these values beside a sound rest."""
    given = {"hostname": "mx.example.org", "data_dir": str(tmp_path), "smtp.max_connections": "1"}
    given |= {name.replace("__", "."): value for name, value in values.items()}
    tmp_path.chmod(0o750)
    return check(load(None, {}, overrides=given, search=()))


def test_a_sound_configuration_has_no_problem(tmp_path: Path) -> None:
    """Nothing to say; a data folder that can be made is sound too, and is not made."""
    assert found(tmp_path) == []
    assert found(tmp_path, data_dir=str(tmp_path / "a" / "b")) == []
    assert list(tmp_path.iterdir()) == []


def test_a_short_name_is_doubtful(tmp_path: Path) -> None:
    """It works, and others may distrust it."""
    (problem,) = found(tmp_path, hostname="mx")
    assert problem.key == "hostname"
    assert not problem.fatal


def test_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in its place, one that may not be written, one that everyone may read."""
    (tmp_path / "file").write_text("")
    (problem,) = found(tmp_path, data_dir=str(tmp_path / "file" / "x"))
    assert "file is not a folder" in problem.reason
    assert problem.fatal
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o755)
    (problem,) = found(tmp_path, data_dir=str(open_to_all))
    assert "open to every user" in problem.reason
    assert not problem.fatal
    # root may write everywhere, so the answer of the kernel is put in its mouth
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    (problem,) = found(tmp_path)
    assert problem.reason == f"{tmp_path} may not be written by this user"
    (problem,) = found(tmp_path, data_dir=str(tmp_path / "new"))
    assert problem.reason.endswith(f"does not exist, and {tmp_path} may not be written by this user")


def test_the_certificate(tmp_path: Path) -> None:
    """One that loads is sound; one that does not keeps serve from starting."""
    both = tmp_path / "both.pem"
    trustme.CA().issue_cert("mx.example.org").private_key_and_cert_chain_pem.write_to_path(str(both))
    assert found(tmp_path, smtp__tls_certificate=str(both)) == []
    (problem,) = found(tmp_path, smtp__tls_certificate=str(tmp_path / "none.pem"))
    assert "none.pem: No such file" in problem.reason
    assert problem.fatal


def test_the_plugin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named and missing, no folder, or open to whoever breaks into the service."""
    folder = tmp_path / "plugins"
    (problem,) = found(tmp_path, plugins__folder=str(folder))
    assert "does not exist" in problem.reason
    folder.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    (problem,) = found(tmp_path, plugins__folder=str(folder))
    assert "may be written by the service" in problem.reason
    assert not problem.fatal
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert found(tmp_path, plugins__folder=str(folder)) == []
    assert found(tmp_path, plugins__folder="") == []
    folder.rmdir()
    folder.write_text("")
    assert found(tmp_path, plugins__folder=str(folder))[0].fatal


def test_outgoing(tmp_path: Path) -> None:
    """A door for outgoing mail lets nobody send whose networks are not named."""
    values = {"smtp__outgoing__listen": '["127.0.0.1:2626"]', "smtp__outgoing__next_hop": "192.0.2.1:25"}
    (networks,) = found(tmp_path, **values)
    assert ("smtp.outgoing.networks", False) == (networks.key, networks.fatal)


def test_alarms(tmp_path: Path) -> None:
    """Who names only half of the way by mail is told."""
    (problem,) = found(tmp_path, alarms__mail_to="ann@example.net")
    assert ("alarms.mail_through", False) == (problem.key, problem.fatal)
    both = {"alarms__mail_to": "ann@example.net", "alarms__mail_through": "smtp://relay.example:587"}
    assert [] == found(tmp_path, **both)


def test_the_alarms_password(tmp_path: Path) -> None:
    """Half a sign-in, a clear-text way, a file that is not there or open to all: told, and mail goes on."""
    file = tmp_path / "password"
    file.touch(0o600)
    file.write_text("s3cret\n")
    way = {"alarms__mail_to": "ann@example.net", "alarms__mail_through": "smtp://relay.example:587"}
    whole = {**way, "alarms__mail_user": "gate", "alarms__mail_password_file": str(file)}
    assert [] == found(tmp_path, **whole)

    def keys(**values: str) -> list[tuple[str, bool]]:
        return [(one.key, one.fatal) for one in found(tmp_path, **values)]

    password, user = "alarms.mail_password_file", "alarms.mail_user"
    assert [(password, False)] == keys(**way, alarms__mail_user="gate")
    assert [(user, False)] == keys(**way, alarms__mail_password_file=str(file))
    clear = {**whole, "alarms__mail_through": "smtp://relay.example:587?tls=off"}
    assert [("alarms.mail_through", False)] == keys(**clear)
    (problem,) = found(tmp_path, **{**whole, "alarms__mail_through": "smtp+mx://relay.example"})
    assert ("alarms.mail_through", False) == (problem.key, problem.fatal)
    assert "name the host itself" in problem.reason
    assert [] == keys(**{**way, "alarms__mail_through": "smtp+mx://relay.example"})
    assert [(password, False)] == keys(**{**whole, "alarms__mail_password_file": str(tmp_path / "gone")})
    file.chmod(0o644)
    (problem,) = found(tmp_path, **whole)
    assert "chmod o=" in problem.reason


def test_the_followed_tree_and_the_limits(tmp_path: Path) -> None:
    """A tree that is not there; more connections than open files allow."""
    (problem,) = found(tmp_path, files__srv=str(tmp_path / "srv"))
    assert (problem.key, problem.fatal) == ("files.srv", False)
    (problem,) = found(tmp_path, files__route="10.0.0.5:25")
    assert (problem.key, problem.fatal) == ("files.route", True)
    assert "smtp://" in problem.reason
    (problem,) = found(tmp_path, smtp__max_connections="1000000")
    assert problem.key == "smtp.max_connections"
    assert "LimitNOFILE" in problem.reason
    assert not problem.fatal
