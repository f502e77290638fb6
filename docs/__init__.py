"""Pages for people, and the program that makes those of `docs/reference` from the code."""
