"""Words typed at a terminal."""
