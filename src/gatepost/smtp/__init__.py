"""The protocol, both sides, without a socket, a clock or a loop (RFC 5321 and its extensions)."""
