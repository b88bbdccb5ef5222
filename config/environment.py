"""The environment, parsed once into typed values. `docs/operations/configuration.md` is generated from this file."""

import os
import secrets
import socket
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class BadEnvironment(Exception):
    """A variable that cannot be understood; the message names it and says what is expected."""


def _var(name: str, default: Any, doc: str) -> Any:
    return field(default=default, metadata={"name": name, "doc": doc})


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Every setting that an operator may give by environment."""

    mode: str = _var(
        "QUORUM_MODE", "embedded", "`embedded` (one machine, SQLite, own Valkey, loopback) or `production`"
    )
    debug: bool = _var("QUORUM_DEBUG", False, "Django's debug pages; refused in production")
    secret_key: str = _var(
        "QUORUM_SECRET_KEY", "", "signs sessions and tickets; embedded mode makes one and keeps it in the state folder"
    )
    hosts: tuple[str, ...] = _var("QUORUM_HOSTS", ("127.0.0.1", "localhost", "[::1]"), "host names served, by comma")
    origins: tuple[str, ...] = _var(
        "QUORUM_ORIGINS", (), "further origins (scheme://host:port) that may open sockets and post forms, by comma"
    )
    http_address: str = _var("QUORUM_HTTP_ADDRESS", "127.0.0.1", "address the web process listens on")
    http_port: int = _var("QUORUM_HTTP_PORT", 8000, "port the web process listens on")
    web_processes: int = _var(
        "QUORUM_WEB_PROCESSES",
        0,
        "web processes that `manage.py run` starts; 0: two where the machine has 4 GB, else one",
    )
    tls: bool = _var("QUORUM_TLS", False, "serve HTTPS (a self-signed certificate is made in the state folder)")
    media_address: str = _var("QUORUM_MEDIA_ADDRESS", "127.0.0.1", "address the media workers listen on")
    media_addresses: tuple[str, ...] = _var(
        "QUORUM_MEDIA_ADDRESSES", (), "addresses told to browsers, where they differ from the one listened on, by comma"
    )
    media_port: int = _var("QUORUM_MEDIA_PORT", 8100, "UDP and TCP port of media worker 0; worker k uses this plus k")
    media_workers: int = _var("QUORUM_MEDIA_WORKERS", 1, "media workers that `manage.py run` starts")
    media_slot: int = _var("QUORUM_MEDIA_SLOT", 0, "which of the machine's media workers this is; `run` sets it")
    monitors: tuple[str, ...] = _var(
        "QUORUM_MONITORS",
        ("127.0.0.0/8", "::1/128"),
        "networks that may read /metrics and the details of /healthz/ready without a login, by comma",
    )
    node: str = _var("QUORUM_NODE", socket.gethostname()[:32] or "node", "this machine's name among the nodes")
    state_dir: Path = _var("QUORUM_STATE_DIR", ROOT / "var", "folder of the database, keys and logs of embedded mode")
    database_url: str = _var("DATABASE_URL", "", "database; SQLite in the state folder when empty")
    redis_url: str = _var("REDIS_URL", "", "Redis or Valkey; embedded mode starts its own when empty")
    broker_url: str = _var("CELERY_BROKER_URL", "", "Celery's broker; the Redis above when empty")
    log_level: str = _var("QUORUM_LOG_LEVEL", "info", "debug, info, warning or error")
    log_format: str = _var("QUORUM_LOG_FORMAT", "text", "`text` for people, `json` for machines")


def _parse(name: str, text: str, like: Any) -> Any:
    match like:
        case bool():
            words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
            if text.lower() not in words:
                raise BadEnvironment(f"{name}: expected true or false, got {text!r}")
            return words[text.lower()]
        case int():
            if not text.isdigit():
                raise BadEnvironment(f"{name}: expected a whole number, got {text!r}")
            return int(text)
        case tuple():
            return tuple(part.strip() for part in text.split(",") if part.strip())
        case Path():
            return Path(text).expanduser().resolve()
        case _:
            return text


def parse(variables: dict[str, str]) -> Environment:
    """Typed values from variables; those not given keep their defaults. Raise BadEnvironment naming the bad one."""
    found = {}
    for f in fields(Environment):
        name = f.metadata["name"]
        if variables.get(name, "") != "":
            found[f.name] = _parse(name, variables[name], f.default)
    environment = Environment(**found)
    if environment.mode not in ("embedded", "production"):
        raise BadEnvironment(f"QUORUM_MODE: expected embedded or production, got {environment.mode!r}")
    return environment


def valkey_socket(env: Environment) -> Path:
    """Where the embedded Valkey listens. Raise BadEnvironment where the path is too long for a socket (108 bytes)."""
    path = env.state_dir / "valkey.sock"
    if len(os.fsencode(path)) > 107:
        raise BadEnvironment(f"QUORUM_STATE_DIR: choose a shorter path, {path} is too long for a socket")
    return path


@cache
def environment() -> Environment:
    """This process's environment."""
    return parse(dict(os.environ))


def secret_key(env: Environment) -> str:
    """The signing key: given, or made once and kept in the state folder (embedded mode only)."""
    if env.secret_key:
        return env.secret_key
    if env.mode == "production":
        raise BadEnvironment("QUORUM_SECRET_KEY: must be given in production")
    path = env.state_dir / "secret-key"
    if not path.exists():
        env.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = secrets.token_urlsafe(48)
        try:
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(made)
        except FileExistsError:
            pass
    return path.read_text()
