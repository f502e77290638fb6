"""The files that pages need come from here, packed, and are kept by browsers."""

from tests.console.house import House


def test_a_file(house: House) -> None:
    """A file is sent packed, may be kept, and is not sent again to who has it."""
    browser = house.browser()
    answer = browser.get("/static/console.css")

    assert "gzip" == answer.headers["content-encoding"]
    assert "immutable" in answer.headers["cache-control"]
    again = browser.client.get("/static/console.css", headers={"if-none-match": answer.headers["etag"]})
    assert 304 == again.status_code
    plain = browser.client.get("/static/console.css", headers={"accept-encoding": "identity"})
    assert plain.text == answer.text


def test_nothing_else(house: House) -> None:
    """No path leads out of the folder."""
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/no.css", "/static//etc/passwd"):
        assert 404 == house.browser().get(path).status_code
