"""An installation that is operated from outside: by REST, with a key of its first operator."""

import json
import re
import subprocess
import sys
import urllib.request
from functools import cached_property
from typing import Any

from config.environment import ROOT
from tests.system.installation import Installation


class Operated(Installation):
    """A whole Quorum and what one does to it by REST."""

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def node(self) -> str:
        """Its name among the nodes."""
        return self.environ["QUORUM_NODE"]

    @property
    def password(self) -> str:
        """The first operator's, as it was printed once."""
        found = re.search(r"first operator: operator, password (\S+)", (self.folder / "output").read_text())
        assert found is not None
        return found[1]

    @cached_property
    def key(self) -> str:
        """An API key that may do everything."""
        scopes = [part for area in ("rooms", "meetings", "nodes") for part in ("--scope", f"{area}:write")]
        made = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "api_key", "test", *scopes],
            env=self.environ,
            capture_output=True,
            text=True,
            check=True,
        )
        return made.stdout.strip()

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """A REST request; the answer's JSON. Raise HTTPError for a refusal."""
        request = urllib.request.Request(
            f"{self.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=15) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """POST."""
        return self.ask("POST", path, body or {})

    def get(self, path: str) -> Any:
        """GET."""
        return self.ask("GET", path)

    def open_meeting(self) -> str:
        """The id of the meeting that runs."""
        (meeting,) = self.get("/api/v1/meetings/?open=true")["results"]
        return str(meeting["id"])

    def end_meetings(self) -> None:
        """End all that run."""
        for meeting in self.get("/api/v1/meetings/?open=true")["results"]:
            self.post(f"/api/v1/meetings/{meeting['id']}/end/")
