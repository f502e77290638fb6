"""Sockets, time, load: the SMTP door."""
