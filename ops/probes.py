"""The checks of what every app needs: tables, store, broker, workers."""

import time

import redis
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connections
from django.db.migrations.loader import MigrationLoader
from kombu import Connection
from kombu.exceptions import OperationalError

from common.probes import Failing
from common.store import PREFIX, store

HEART = f"{PREFIX}ops:heart"
"""Unix time at which a worker last ran the job that beat sends every five seconds."""
HEART_LIMIT_S = 20.0


def database() -> str:
    """A connection of its own answers."""
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
        return connections["default"].vendor
    except DatabaseError as reason:
        raise Failing(type(reason).__name__) from reason
    finally:
        connections["default"].close()


def migrations() -> str:
    """Every migration on disk is in the tables."""
    try:
        loader = MigrationLoader(connections["default"])
        applied = loader.applied_migrations
    except DatabaseError as reason:
        raise Failing(type(reason).__name__) from reason
    finally:
        connections["default"].close()
    labels = {config.label for config in apps.get_app_configs()}
    pending = [key for key in loader.graph.nodes if key[0] in labels and key not in applied]
    if pending:
        raise Failing(f"{len(pending)} pending")
    return f"{len(applied)} applied"


def store_answers() -> str:
    """Redis or Valkey answers a ping."""
    try:
        store().ping()
    except redis.RedisError as reason:
        raise Failing(type(reason).__name__) from reason
    return "answers"


def broker() -> str:
    """Celery's broker takes a connection."""
    try:
        with Connection(settings.CELERY_BROKER_URL, connect_timeout=0.4, transport_options={"max_retries": 0}) as link:
            link.connect()
            if settings.CELERY_BROKER_URL.startswith(("redis", "sentinel")):
                link.default_channel.client.ping()  # type: ignore[attr-defined]  # its channel's; connecting is lazy
    except (OperationalError, OSError, redis.RedisError) as reason:
        raise Failing(type(reason).__name__) from reason
    return "answers"


def workers() -> str:
    """A job from beat was run lately, so beat, broker and a worker are there."""
    try:
        at = store().get(HEART)
    except redis.RedisError as reason:
        raise Failing(f"store: {type(reason).__name__}") from reason
    if at is None:
        raise Failing("no worker has run a job yet")
    age_s = time.time() - float(at)
    if age_s > HEART_LIMIT_S:
        raise Failing(f"no worker has run a job for {age_s:.0f} s")
    return f"ran a job {max(0.0, age_s):.0f} s ago"
