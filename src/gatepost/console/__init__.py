"""The web console: pages for people, `/api/v1` for programs; both call the desk.

FastAPI is imported here and only here, and this room only in the console's own process; but for
`digest_mail`, which the keeper needs and which needs no FastAPI.
"""
