"""Pages and routes are mounted by being there."""

from gatepost.console.app import make_app
from tests.console.house import House


def test_mounted(house: House) -> None:
    """Each page has its path; the API's description holds no page."""
    app = make_app(house.site)

    assert {"/", "/login", "/logout", "/static/{name:path}"} <= app.state.paths
    described = house.browser().get("/api/openapi.json").json()
    assert "3.1" == described["openapi"][:3]
    assert [] == [path for path in described["paths"] if not path.startswith("/api/v1/")]
