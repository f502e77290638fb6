"""Who may sign in: added, changed, removed by administrators; an administrator is always left."""

from pathlib import Path

import pytest

from gatepost.desk import domains, sessions, users
from gatepost.desk.desk import Desk
from gatepost.desk.errors import Conflict, DeskError, NotFound
from gatepost.desk.users import Role, User

SECRET = "correct horse"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return an administrator's desk with one domain and two people."""
    made = Desk(tmp_path, "root", clock=lambda: 1_800_000_000.0)
    domains.add(made, "example.org", ["smtp://mail.example.org"])
    users.add(made, "root", SECRET, "admin")
    users.add(made, "Ann@example.org", SECRET, "owner", ["Example.org"], "de", "Europe/Berlin")
    return made


def test_add(desk: Desk) -> None:
    """The name is kept in small letters, the domain as it is hosted; nothing tells the password."""
    ann = users.get(desk, "ann@example.org")
    assert User(
        "ann@example.org", Role.OWNER, ("example.org",), "de", "Europe/Berlin", created=1_800_000_000.0
    ) == ann  # fmt: skip
    assert ["ann@example.org", "root"] == [one.name for one in users.everyone(desk)]
    assert SECRET not in repr(users.everyone(desk))
    with pytest.raises(Conflict):
        users.add(desk, "root", SECRET, "admin")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "no spaces here"}, "is no name"),
        ({"name": ""}, "is no name"),
        ({"role": "king"}, "is not admin"),
        ({"password": "short"}, "at least"),
        ({"domains": ["not.example"]}, "not hosted"),
        ({"zone": "Mars/Base"}, "time zone"),
    ],
)
def test_wrong(desk: Desk, values: dict[str, object], said: str) -> None:
    """What is wrong is told, and nobody is added."""
    given = {"name": "bob", "password": SECRET, "role": "owner", **values}
    with pytest.raises(DeskError, match=said):
        users.add(desk, **given)  # type: ignore[arg-type]
    assert 2 == len(users.everyone(desk))


def test_change_ends_sessions(desk: Desk) -> None:
    """Another role, a new password, or being disabled ends what is open."""
    for deed in (
        lambda: users.change(desk, "ann@example.org", role="reader"),
        lambda: users.set_password(desk, "ann@example.org", SECRET),
        lambda: users.change(desk, "ann@example.org", disabled=True),
    ):
        users.change(desk, "ann@example.org", disabled=False)
        token = sessions.sign_in(desk, "ann@example.org", SECRET, "", "192.0.2.1")
        assert sessions.who(desk, token)
        deed()
        assert sessions.who(desk, token) is None
    with pytest.raises(sessions.SignInError):
        sessions.sign_in(desk, "ann@example.org", SECRET, "", "192.0.2.1")


def test_own_password_keeps_the_own_session(desk: Desk) -> None:
    """Who changes it himself stays signed in, the other sessions end."""
    here, there = (sessions.sign_in(desk, "root", SECRET, "", "192.0.2.1") for _ in range(2))
    users.set_password(desk, "root", "another secret", sessions.digest(here))

    assert sessions.who(desk, here)
    assert sessions.who(desk, there) is None


def test_the_last_administrator_stays(desk: Desk) -> None:
    """He is not removed, disabled or made less, until there is another."""
    for deed in (
        lambda: users.remove(desk, "root"),
        lambda: users.change(desk, "root", disabled=True),
        lambda: users.change(desk, "root", role="owner"),
    ):
        with pytest.raises(DeskError, match="last administrator"):
            deed()
    users.add(desk, "second", SECRET, "admin")
    users.remove(desk, "root")
    with pytest.raises(NotFound):
        users.get(desk, "root")


def test_only_administrators(desk: Desk) -> None:
    """An owner changes the own password and nothing of anybody else."""
    owner = Desk(desk.data_dir, "ann@example.org", admin=False)
    for deed in (
        lambda: users.add(owner, "eve", SECRET, "admin"),
        lambda: users.change(owner, "ann@example.org", role="admin"),
        lambda: users.set_password(owner, "root", SECRET),
        lambda: users.remove(owner, "root"),
    ):
        with pytest.raises(DeskError, match="only administrators"):
            deed()
    users.set_password(owner, "ann@example.org", "another secret")
    users.set_reader(owner, "ann@example.org", "en", "Asia/Tokyo")
    assert "Asia/Tokyo" == users.get(desk, "ann@example.org").zone


def test_first_admin(tmp_path: Path) -> None:
    """Where there is nobody an administrator is made; where there is somebody nothing."""
    desk = Desk(tmp_path, "first start")
    made = users.first_admin(desk)
    assert made is not None
    assert sessions.sign_in(desk, *made, "", "127.0.0.1")
    assert users.first_admin(desk) is None
