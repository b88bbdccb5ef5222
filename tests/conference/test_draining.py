"""Two media workers, one drained: its meeting moves, and none comes."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.environment import ROOT
from tests.system.installation import until
from tests.system.operated import Operated

pytestmark = pytest.mark.system


@pytest.fixture
def quorum(tmp_path: Path) -> Iterator[Operated]:
    made = Operated(tmp_path, QUORUM_MEDIA_WORKERS="2", QUORUM_WEB_PROCESSES="1")
    try:
        made.until_ready()
        yield made
    finally:
        made.close()


def test_a_drained_worker_is_empty_soon_and_stays_so(quorum: Operated) -> None:
    until(lambda: len(quorum.get("/api/v1/nodes/")) == 2, 30, quorum.said)
    made = quorum.post("/api/v1/rooms/hello/meetings/")
    path = f"/api/v1/meetings/{made['id']}/"

    def carrier() -> str:
        return str(quorum.get(path)["relay_node"])

    until(lambda: carrier() != "", 10, quorum.said)
    first = carrier()
    command = [sys.executable, str(ROOT / "manage.py"), "drain", first, "--wait", "--limit", "30"]
    done = subprocess.run(command, env=quorum.environ, capture_output=True, text=True, check=False)
    assert done.stdout == f"{first} is empty\n", done.stderr
    second = carrier()
    assert second not in ("", first)
    last: dict[str, Any] = quorum.get(f"{path}journal/")["results"][-1]["line"]
    assert (last["type"], last["reason"]) == ("moved", "drained")
    quorum.post(f"{path}end/")
    again = quorum.post("/api/v1/rooms/hello/meetings/")
    path = f"/api/v1/meetings/{again['id']}/"
    until(lambda: carrier() != "", 10, quorum.said)
    assert carrier() == second
    quorum.post(f"/api/v1/nodes/{first}/undrain/")
    assert not any(node["draining"] for node in quorum.get("/api/v1/nodes/"))
