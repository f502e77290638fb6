"""`/tokens`: made by a person who signed in; a token makes no wider one."""

from dataclasses import replace

from fastapi.testclient import TestClient

from gatepost.console.app import API
from gatepost.desk import changes, tokens, users
from tests.console.api.program import Program
from tests.console.house import House


def test_in_person(house: House) -> None:
    """With the session's cookie and the form's secret; the token works, and ends."""
    with house.desk() as desk:
        users.add(desk, "ann", "correct horse", "owner", ["ann.example"])
    browser = house.browser("ann")
    secret = browser.secret()
    sent = {"x-csrf-token": secret}
    assert 403 == browser.client.post(f"{API}/tokens", json={"label": "script"}).status_code
    made = browser.client.post(f"{API}/tokens", json={"label": "script"}, headers=sent)
    assert 201 == made.status_code
    with house.desk() as desk:
        found = tokens.who_bears(desk, made.json()["bearer"])
        assert found is not None
    listed = browser.get(f"{API}/tokens").json()["items"]
    assert [("script", "look")] == [(one["label"], one["rights"]) for one in listed]
    assert 204 == browser.client.delete(f"{API}/tokens/{listed[0]['id']}", headers=sent).status_code
    assert 404 == browser.client.delete(f"{API}/tokens/{listed[0]['id']}", headers=sent).status_code


def test_a_token_makes_none(ann: Program, root: Program) -> None:
    """An owner's token neither lists, makes nor ends tokens; an administrator's may."""
    ann.get("/tokens", 403)
    ann.post("/tokens", {"label": "wider", "rights": "change"}, 403)
    ann.delete("/tokens/1", 403)
    assert [] == root.get("/tokens")["items"]


def test_a_real_token(house: House) -> None:
    """What the desk made opens the API as far as it goes."""
    with house.desk() as desk:
        users.add(desk, "ann", "correct horse", "owner", ["ann.example"])
        _, bearer = tokens.add(desk, "ann", "look")
    house.app.state.site = replace(house.site, bearer=tokens.who_bears)
    client = TestClient(house.app, headers={"authorization": f"Bearer {bearer}"})
    assert 200 == client.get(f"{API}/domains/ann.example/settings").status_code
    assert 404 == client.patch(f"{API}/domains/ann.example/settings", json={"keep_days": 7}).status_code
    assert 404 == client.get(f"{API}/domains/eve.example/settings").status_code
    with house.desk() as desk:
        _, writes = tokens.add(desk, "ann", "script", rights="change")
    program = TestClient(house.app, headers={"authorization": f"Bearer {writes}"})
    assert 200 == program.patch(f"{API}/domains/ann.example/settings", json={"keep_days": 7}).status_code
    with house.desk() as desk:
        assert "ann" == changes.listing(desk, "ann.example", limit=1)[0].by, "whose token it is, did it"
    for wrong in ("", "Basic x", "Bearer gp_nothing"):
        answer = client.get(f"{API}/domains", headers={"authorization": wrong})
        assert (401, "Bearer") == (answer.status_code, answer.headers["www-authenticate"])
    assert 303 == client.get("/domains", follow_redirects=False).status_code
