"""The way on to the domain's own server, inside the dialogue or from the spool."""
