"""A desk knows what the configuration says of the installation."""

from pathlib import Path

from gatepost.config import load
from gatepost.config.desks import desk_from


def test_desk_from(tmp_path: Path) -> None:
    """Doors, networks for owners' routes and the public address arrive; who asks is named."""
    file = tmp_path / "gatepost.toml"
    file.write_text(
        'data_dir = "/srv/gp"\n[smtp]\nlisten = ["[::1]:2525"]\n'
        '[relay]\nallow = ["10.0.0.0/8"]\n[console]\npublic_url = "https://mail.example/"\n'
    )
    with desk_from(load(str(file), {}), "ann", admin=False) as desk:
        assert ("ann", False, Path("/srv/gp")) == (desk.by, desk.admin, desk.data_dir)
        assert (("::1", 2525),) == desk.doors
        assert ["10.0.0.0/8"] == [str(one) for one in desk.relay_allow]
        assert "https://mail.example" == desk.public_url
