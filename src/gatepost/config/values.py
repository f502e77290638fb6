"""The kinds of values that a key can take: how each is read, and how it is written again.

A kind reads what TOML gives (`read`) and what a shell gives (`read_text`), and says what is wrong in
words. Both give the same value, so that a file and an environment cannot differ in what they can say.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from gatepost.config.problems import BadValue, nearest
from gatepost.server.sockets import parse_host_port

T = TypeVar("T")
Network = IPv4Network | IPv6Network


class Kind(Generic[T]):
    """How a value is read and written."""

    __slots__ = ("name", "read", "secret", "shape", "write")

    def __init__(
        self,
        name: str,
        read: Callable[[Any], T],
        shape: type,
        write: Callable[[T], Any] = lambda value: value,
        *,
        secret: bool = False,
    ) -> None:
        self.name = name
        """What it is, for reference pages: `a size, such as "50MiB"`."""
        self.read = read
        """From what TOML gave; BadValue where it cannot be."""
        self.shape = shape
        """What TOML is to give: str, int, bool, list or dict."""
        self.write = write
        """Back to what TOML would give."""
        self.secret = secret
        """Never shown."""

    def read_text(self, text: str) -> T:
        """Read what a shell gave: an environment variable or an option."""
        return self.read(_from_text(text, self.shape))


def _from_text(text: str, shape: type) -> Any:
    if shape is str:
        return text
    if shape is bool:
        word = text.strip().lower()
        if word in ("true", "yes", "on", "1"):
            return True
        if word in ("false", "no", "off", "0"):
            return False
        raise BadValue(f"{text!r} is not true or false")
    if shape is int:
        try:
            return int(text)
        except ValueError:
            return text  # perhaps with a unit; the kind knows
    if shape is list and not text.lstrip().startswith("["):
        return [item.strip() for item in text.split(",") if item.strip()]
    for parse in (json.loads, lambda text: tomllib.loads(f"x = {text}")["x"]):
        try:
            return parse(text)
        except (ValueError, KeyError):
            continue
    raise BadValue(f"{text!r} is neither TOML nor JSON")


def _need(value: Any, shape: type, what: str) -> Any:
    """True is an int in Python, and 1 is not true in TOML."""
    if not isinstance(value, shape) or (isinstance(value, bool) and shape is not bool):
        raise BadValue(f"{_shown(value)} is not {what}")
    return value


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


# --- text ---------------------------------------------------------------------------------------------


def _read_string(value: Any) -> str:
    text: str = _need(value, str, "a text")
    if any(ord(c) < 32 or ord(c) == 127 for c in text):
        raise BadValue(f"{_shown(text)} has a control character in it")
    return text


STRING = Kind("a text", _read_string, str)
SECRET = Kind("a secret text", _read_string, str, secret=True)


def _read_path(value: Any) -> Path:
    return Path(_read_filled(value)).expanduser()


def _read_filled(value: Any) -> str:
    text = _read_string(value)
    if not text:
        raise BadValue("must not be empty")
    return text


PATH = Kind("a folder", _read_path, str, str)


def _read_optional_path(value: Any) -> Path | None:
    return _read_path(value) if _read_string(value) else None


OPTIONAL_PATH = Kind(
    'a file or folder, or ""', _read_optional_path, str, lambda path: "" if path is None else str(path)
)

_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


def _read_domain(value: Any) -> str:
    text = _read_string(value).rstrip(".").lower()
    if not text.isascii():
        raise BadValue(f"{_shown(value)} has letters outside of ASCII: write it as xn--...")
    if len(text) > 253 or not all(_LABEL.fullmatch(label) for label in text.split(".")):
        raise BadValue(f"{_shown(value)} is not a host name")
    return text


DOMAIN = Kind("a host name", lambda value: _read_domain(value) if value else _read_string(value), str)


def choice(*words: str) -> Kind[str]:
    """One of a few words."""

    def read(value: Any) -> str:
        if value not in words:
            near = nearest(value, words) if isinstance(value, str) else ""
            raise BadValue(f"{_shown(value)} is not one of {', '.join(words)}", near)
        return str(value)

    return Kind(" or ".join(f'"{word}"' for word in words), read, str)


def url(*schemes: str) -> Kind[str]:
    """A URL of one of these schemes, or empty."""
    listed = ", ".join(f"{scheme}://" for scheme in schemes)

    def read(value: Any) -> str:
        text = _read_string(value)
        if not text:
            return ""
        scheme, colon, rest = text.partition("://")
        if not colon or scheme not in schemes:
            raise BadValue(
                f"{_shown(hide_password(text))} does not begin with {listed}", nearest(scheme, schemes)
            )
        if not _HOST_IN_URL.match(rest):
            raise BadValue(f"{_shown(hide_password(text))} names no host, or no port that can be")
        return text

    return Kind(f'a URL ({listed}), or ""', read, str)


_HOST_IN_URL = re.compile(
    r"(?:[^/@\s]*@)?(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:[/?][^\s]*)?$"
)


def hide_password(text: str) -> str:
    """A URL as it may be shown."""
    return re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:***@", text)


def _read_route(value: Any) -> str:
    from gatepost.relay.routes import RouteError, parse_route

    text = _read_string(value)
    if not text:
        return ""
    try:
        route = parse_route(text)
    except RouteError as error:
        raise BadValue(str(error)) from error
    if not route.scheme.startswith("smtp"):
        raise BadValue(f"{_shown(text)} is no server that takes mail for others: smtp://host:port")
    return text


ROUTE = Kind('a server, such as "smtp://relay.example.net:587", or ""', _read_route, str)


def _read_mailboxes(value: Any) -> tuple[str, ...]:
    from gatepost.mail.address import AddressError, parse_address

    try:
        return tuple(parse_address(_read_filled(one)).text for one in _need(value, list, "a list"))
    except AddressError as error:
        raise BadValue(f"not a mailbox: {error}") from error


MAILBOXES: Kind[tuple[str, ...]] = Kind(
    'a list of mailboxes, such as ["ann@example.net"]', _read_mailboxes, list, list
)

# --- numbers ------------------------------------------------------------------------------------------

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([KMGT])(i?)(B?)|B)?", re.IGNORECASE)
_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}


def _read_size(value: Any) -> int:
    if isinstance(value, str) and (match := _SIZE.fullmatch(value.strip())):
        number, letter, binary, byte = match.groups()
        # "50MB" is decimal (IEC 80000-13); "50M" alone means MiB, as systemd and others have it.
        base = 1000 if letter and byte and not binary else 1024
        return int(float(number) * base ** _POWERS[letter.upper()]) if letter else int(float(number))
    if isinstance(value, str):
        raise BadValue(f'{_shown(value)} is not a size, such as "50MiB"')
    size: int = _need(value, int, 'a size, such as "50MiB"')
    if size < 0:
        raise BadValue(f"{size} is below 0")
    return size


def _write_size(size: int) -> int | str:
    for letter in "TGMK":
        unit = 1024 ** _POWERS[letter]
        if size and size % unit == 0:
            return f"{size // unit}{letter}iB"
    return size


SIZE = Kind('a size, such as "50MiB"', _read_size, int, _write_size)


def count(least: int = 0, most: int = 1_000_000) -> Kind[int]:
    """A whole number within bounds."""

    def read(value: Any) -> int:
        number: int = _need(value, int, "a whole number")
        if not least <= number <= most:
            raise BadValue(f"{number} is not between {least} and {most}")
        return number

    return Kind(f"a number from {least} to {most}", read, int)


_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_SECONDS = {None: 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(least: float = 0, most: float = 86400) -> Kind[float]:
    """A time, in seconds or with a unit."""

    def read(value: Any) -> float:
        if isinstance(value, str):
            match = _DURATION.fullmatch(value.strip())
            if match is None:
                raise BadValue(f'{_shown(value)} is not a time in seconds, nor one like "5m"')
            value = float(match[1]) * _SECONDS[match[2]]
        number = float(_need(value, (int, float), 'a time in seconds, nor one like "5m"'))  # type: ignore[arg-type]
        if not least <= number <= most:
            raise BadValue(f"{number:g} seconds is not between {least:g} and {most:g}")
        return number

    return Kind(f"seconds from {least:g} to {most:g}", read, int, _write_number)


def ratio(most: float) -> Kind[float]:
    """A number that need not be whole, 0 to `most`."""

    def read(value: Any) -> float:
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                raise BadValue(f"{_shown(value)} is not a number") from None
        number = float(_need(value, (int, float), "a number"))  # type: ignore[arg-type]
        if not 0 <= number <= most:
            raise BadValue(f"{number:g} is not between 0 and {most:g}")
        return number

    return Kind(f"a number from 0 to {most:g}", read, int, _write_number)


def _write_number(number: float) -> float:
    return int(number) if number == int(number) else number


FLAG = Kind("true or false", lambda value: bool(_need(value, bool, "true or false")), bool)


# --- the network --------------------------------------------------------------------------------------


def _read_address(value: Any) -> str:
    try:
        return str(parse_host_port(_read_filled(value)))
    except BadValue:
        raise
    except ValueError as error:
        raise BadValue(str(error)) from error


def _read_optional_address(value: Any) -> str:
    return _read_address(value) if _read_string(value) else ""


ADDRESS = Kind('an address, such as "127.0.0.1:25", or ""', _read_optional_address, str)


def _read_endpoint(value: Any) -> str:
    text = _read_string(value)
    if text.startswith("unix:"):
        if not text.startswith("unix:/"):
            raise BadValue(f"{_shown(text)}: the path of a socket begins with a slash, unix:/run/...")
        return text
    return _read_optional_address(text)


ENDPOINT = Kind('an address, such as "127.0.0.1:783" or "unix:/run/x.sock", or ""', _read_endpoint, str)


def _read_name_server(value: Any) -> str:
    try:
        return str(parse_host_port(_read_filled(value), 53))
    except BadValue:
        raise
    except ValueError as error:
        raise BadValue(str(error)) from error


def _read_network(value: Any) -> Network:
    text = _read_string(value)
    try:
        return ip_network(text.strip())
    except ValueError as error:
        raise BadValue(f"{_shown(text)} is not a network ({_why_no_network(text, error)})") from error


def _why_no_network(text: str, error: ValueError) -> str:
    """The library's words, or the network that was probably meant."""
    try:
        return (
            f"bits are set behind the prefix; the network would be {ip_network(text.strip(), strict=False)}"
        )
    except ValueError:
        return str(error) if "/" in text else "write 192.0.2.0/24, 192.0.2.1 or 2001:db8::/32"


def _list_of(read: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    def read_all(value: Any) -> tuple[T, ...]:
        return tuple(dict.fromkeys(read(item) for item in _need(value, list, "a list")))

    return read_all


ADDRESSES: Kind[tuple[str, ...]] = Kind(
    'a list of addresses, such as ["0.0.0.0:25", "[::]:25"]', _list_of(_read_address), list, list
)
NAME_SERVERS: Kind[tuple[str, ...]] = Kind(
    'a list of "host" or "host:port"', _list_of(_read_name_server), list, list
)
NETWORKS: Kind[tuple[Network, ...]] = Kind(
    'a list of networks, such as ["10.0.0.0/8", "2001:db8::1"]',
    _list_of(_read_network),
    list,
    lambda networks: [str(network) for network in networks],
)


def _read_domains_networks(value: Any) -> Mapping[str, tuple[Network, ...]]:
    table: dict[str, Any] = _need(value, dict, 'a table of "domain" = [networks]')
    return MappingProxyType({_read_domain(domain): NETWORKS.read(listed) for domain, listed in table.items()})


DOMAINS_NETWORKS: Kind[Mapping[str, tuple[Network, ...]]] = Kind(
    'a table, such as {"example.org" = ["10.0.0.5/32"]}',
    _read_domains_networks,
    dict,
    lambda table: {domain: NETWORKS.write(listed) for domain, listed in table.items()},
)
