"""What is known of a client's names, and when it is forgotten."""

from gatepost.mail.session import Session


def test_names() -> None:
    """All PTR names stand together, the best first; a client without one has been looked up all the same."""
    session = Session("A", "192.0.2.1")
    assert (False, ()) == (session.host_known, session.host_names)
    session.know_host((("mx.example", True), ("other.example", False)), near=True)
    assert ("mx.example", True, True) == (session.host, session.host_confirmed, session.host_near)
    assert (("mx.example", True), ("other.example", False)) == session.host_names
    nameless = Session("B", "192.0.2.2")
    nameless.know_host(())
    assert (True, None, ()) == (nameless.host_known, nameless.host, nameless.host_names)


def test_forgotten() -> None:
    """Another client, as XCLIENT tells, has names of its own."""
    session = Session("A", "192.0.2.1")
    session.know_host((("mx.example", True), ("other.example", True)), unsure=True)
    session.forget_host()
    assert (False, None, (), False) == (
        session.host_known,
        session.host,
        session.host_names,
        session.host_unsure,
    )
