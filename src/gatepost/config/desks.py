"""From the configuration to a desk: what the command line and the console hand to people's requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gatepost.config.keys import Config
    from gatepost.desk.desk import Desk


def desk_from(config: Config, by: str, **further: Any) -> Desk:
    """Return the desk of an installation for who asks; `further` goes to `Desk` as it is."""
    from gatepost.desk.desk import Desk

    return Desk(
        config.data_dir,
        by,
        plugin_folder=config.plugins.folder,
        archive_bytes=config.archive.max_bytes,
        archive_min_free=config.archive.min_free,
        archive_domain_bytes=config.archive.of_domain,
        doors=[_door(address) for address in (*config.smtp.listen, *config.smtp.outgoing.listen)],
        dns_servers=config.dns.servers,
        dns_timeout=config.dns.timeout,
        hostname=config.hostname,
        public_url=config.console.public_url,
        relay_allow=config.relay.allow,
        commands=config.scanner.commands,
        scanners=config.scanner.addresses,
        **further,
    )


def _door(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
