"""What production mode refuses to start with."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


@register(Tags.security)
def unsafe_in_production(**_: Any) -> list[CheckMessage]:
    """DEBUG, a short secret, a wildcard host."""
    if not settings.PRODUCTION:
        return []
    found: list[CheckMessage] = []
    if settings.DEBUG:
        found.append(Error("QUORUM_DEBUG is on in production", id="quorum.E001"))
    if any(host in ("*", ".") or "*" in host for host in settings.ALLOWED_HOSTS):
        found.append(Error("QUORUM_HOSTS holds a wildcard; name the hosts", id="quorum.E002"))
    if len(settings.SECRET_KEY) < 50 or len(set(settings.SECRET_KEY)) < 5:
        found.append(Error("QUORUM_SECRET_KEY is too weak; give 50 random characters", id="quorum.E003"))
    return found


def unsafe_settings(*, pages: bool = True) -> Sequence[CheckMessage]:
    """Every warning of `check --deploy` and of ours; empty outside production.

    Without `pages` only those about security, which load no address and no page: enough for a worker.
    """
    if not settings.PRODUCTION:
        return []
    return run_checks(tags=None if pages else [Tags.security], include_deployment_checks=True)


def require_safe_settings(*, pages: bool = True) -> None:
    """Raise ImproperlyConfigured, naming each reason, where production would be served with unsafe settings."""
    if reasons := unsafe_settings(pages=pages):
        raise ImproperlyConfigured("not safe in production:\n" + "\n".join(f"  {reason}" for reason in reasons))


def pending_migrations() -> list[str]:
    """What `migrate` would still do, as `app.name`."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def require_migrated() -> None:
    """Raise ImproperlyConfigured in a process that would work on tables of another version."""
    if pending := pending_migrations():
        raise ImproperlyConfigured(f"pending migrations ({', '.join(pending)}); run: python manage.py prepare")
