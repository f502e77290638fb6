"""The pages: each file has a `router` and is mounted because it is here."""

from gatepost.console import segments

__all__ = ["segments"]
# Imported so that paths may say `{local:part}`.
