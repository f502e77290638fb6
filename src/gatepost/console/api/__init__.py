"""The API's routes, below `/api/v1`: each file has a `router` and is mounted because it is here."""
