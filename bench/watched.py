"""Gatepost while an administrator looks on: signed in by the form, the journal live in a browser's stream."""

import contextlib
import http.client
import re
import threading
import urllib.parse
from http.client import HTTPConnection

from bench.gatepost import GatepostOne
from bench.places import BenchError

PASSWORD = "correct horse battery"


class GatepostWatched(GatepostOne):
    """One worker, and a console with one live journal."""

    name = "gatepost-watched"
    title = "Gatepost, 1 worker, an administrator follows the journal"

    def fill(self) -> None:
        super().fill()
        self.gatepost_in(PASSWORD, "user", "add", "root", "--role", "admin", "--stdin")

    def start(self) -> None:
        super().start()
        self.bytes = 0
        cookie = self._sign_in()
        self._stream = HTTPConnection("127.0.0.1", self.console, timeout=600)
        self._stream.request("GET", "/journal/live", headers={"Cookie": cookie})
        answer = self._stream.getresponse()
        if answer.status != 200:
            raise BenchError(f"the live journal answered {answer.status}")
        threading.Thread(target=self._read, args=(answer,), daemon=True).start()

    def check(self, sessions: int) -> str:
        """It was followed indeed."""
        return super().check(sessions) or (
            "" if self.bytes > 10_000 else f"{self.bytes} bytes of live journal"
        )

    def _sign_in(self) -> str:
        """Return the cookie of a session."""
        connection = HTTPConnection("127.0.0.1", self.console, timeout=30)
        connection.request("GET", "/login")
        page = connection.getresponse()
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.read().decode())
        before = "; ".join(value.partition(";")[0] for value in page.headers.get_all("Set-Cookie", []))
        form = urllib.parse.urlencode([*hidden, ("name", "root"), ("password", PASSWORD)])
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": before,
                   "Origin": f"http://127.0.0.1:{self.console}"}  # fmt: skip
        connection.request("POST", "/login", form, headers)
        answer = connection.getresponse()
        cookies = [value.partition(";")[0] for value in answer.headers.get_all("Set-Cookie", [])]
        if answer.status not in (302, 303) or not cookies:
            raise BenchError(f"signing in was answered {answer.status}")
        return "; ".join(cookies)

    def _read(self, answer: http.client.HTTPResponse) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException, AttributeError):
            while piece := answer.read1(65_536):
                self.bytes += len(piece)
