"""What `./run` shows the first time: a domain `example.test` that delivers to a Maildir."""

from __future__ import annotations

from pathlib import Path

from gatepost.store.policy_db import PolicyStore

DOMAIN = "example.test"
RECIPIENTS = ("you", "ann", "bob")


def make(data: Path) -> None:
    """Add the demo domain to an installation that has no domain yet."""
    store = PolicyStore(data / "policy.db")
    try:
        if store.domains(limit=1):
            return
        mail = (data / "mail").absolute()
        mail.mkdir(parents=True, exist_ok=True)
        store.add_domain(DOMAIN, [f"maildir://{mail}/%u"], by="demo")
        store.add_recipients(DOMAIN, RECIPIENTS, by="demo")
    finally:
        store.close()


def text(
    host: str, port: int, data: Path, console: str = "", administrator: tuple[str, str] | None = None
) -> str:
    """Return what is printed: where we answer, one line to paste, who may sign in (a password once)."""
    where = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - only compared
    send = (
        f"python3 -c \"import smtplib; smtplib.SMTP('{where}', {port}).sendmail('me@example.com', "
        f"['you@{DOMAIN}'], 'Subject: hello\\r\\n\\r\\nIt works.\\r\\n')\""
    )
    return (
        f"\nGatepost answers SMTP on {where}:{port}.\n"
        f"Mail for you@{DOMAIN} lands in {data / 'mail' / 'you'}.\n"
        f"Paste this line to send one:\n\n  {send}\n\n{_console(console, administrator)}"
    )


def _console(listen: str, administrator: tuple[str, str] | None) -> str:
    if not listen:
        return ""
    said = f"The console is at http://{listen}\n"
    if administrator is not None:
        name, password = administrator
        said += f"Sign in as {name} with the password {password}\nIt is shown this once.\n"
    return f"{said}\n"
