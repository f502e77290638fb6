"""The pages: each file has a `router` and is mounted because it is here."""
