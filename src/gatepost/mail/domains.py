"""The part of a host name that somebody registered, by the public suffix list.

The list is data of the package `publicsuffixlist` (its releases follow the list); nothing is fetched.
"""

from __future__ import annotations

from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList


@lru_cache(maxsize=4096)
def registrable(name: str) -> str:
    """Return `example.co.uk` for `www.example.co.uk`, the name itself where it has no such part.

    Names under a suffix whose owner rents out names (`someone.github.io`) are domains of their own.
    """
    return _suffixes().privatesuffix(name.lower()) or name.lower()


def is_suffix(name: str) -> bool:
    """Return True for a public suffix itself, as `com` or `co.uk`: nobody's domain."""
    return _suffixes().privatesuffix(name.lower()) is None


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
