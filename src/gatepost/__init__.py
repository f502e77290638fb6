"""Gatepost: an inbound mail filter for many domains."""

__version__ = "0.1.0"
