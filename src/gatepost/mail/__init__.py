"""The vocabulary that every room shares, and the bounded reader of messages. Pure: no I/O, no clock."""
