"""How every process reaches Celery's broker. No Django here: beat runs without it."""

from config.environment import Environment, valkey_socket

TRANSPORT = {
    "socket_timeout": 5,
    "socket_connect_timeout": 0.5,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "visibility_timeout": 3600,
}
"""kombu waits a second for each message, so that five of silence are a lost connection."""


def redis_url(env: Environment) -> str:
    """The Redis or Valkey that was given, or the embedded one."""
    return env.redis_url or f"unix://{valkey_socket(env)}"


def broker_url(env: Environment) -> str:
    """The broker that was given, or the Redis above in kombu's words."""
    return env.broker_url or redis_url(env).replace("unix://", "redis+socket://", 1)
