"""One shape for every log line, ours (structlog) and the libraries' (logging): to stderr, as text or as JSON.

An event is a past-tense phrase with dots (`relay.lost`), facts are fields with units, and ids that a door has bound
(structlog.contextvars) are on each line after it. Never packets, SDP, tickets or passwords.
"""

import logging.config
import sys
from typing import Any

import structlog

QUIET = {
    "twisted": "warning",
    "daphne": "warning",
    "django.channels.server": "warning",
    "asyncio": "warning",
    "aioice": "warning",
    "aiortc": "warning",
    "axes": "warning",
    "amqp": "warning",
    "kombu": "warning",
    "celery": "warning",
}
"""Libraries that report at `info` what nobody acts on."""


def configure(config: dict[str, Any]) -> None:
    """Set both up from {"level": ..., "format": "text" | "json"}; Django calls it (settings.LOGGING_CONFIG)."""
    level = config["level"].upper()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    render: list[Any]
    if config["format"] == "json":
        render = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        # The pretty traceback shows local variables, and with them tickets and SDP.
        plain = structlog.dev.plain_traceback
        render = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=32, exception_formatter=plain)]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {name: {"level": max(at.upper(), level, key=_severity)} for name, at in QUIET.items()},
        }
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared[:-1],
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _severity(level: str) -> int:
    return logging.getLevelNamesMapping()[level]
