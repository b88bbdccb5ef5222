"""The tests marked `servers`, unchanged, on PostgreSQL and redis-server."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("quorum_test_servers", Path(__file__).parent.parent / "servers.py")
assert _spec is not None and _spec.loader is not None
servers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(servers)

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.system
@pytest.mark.timeout(600)
def test_the_marked_tests_pass_on_postgresql_and_redis(tmp_path: Path) -> None:
    if absent := servers.missing():
        if os.environ.get("CI"):
            pytest.fail(f"not installed: {', '.join(absent)}")
        pytest.skip(f"not installed: {', '.join(absent)}")
    with servers.postgres() as database, servers.redis() as store:
        variables = {**os.environ, "DATABASE_URL": database, "REDIS_URL": store, "QUORUM_STATE_DIR": str(tmp_path)}
        command = [sys.executable, "-m", "pytest", "-q", "-m", "servers and not system", "--durations=5", "tests"]
        done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
