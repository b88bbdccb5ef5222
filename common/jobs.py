"""Background jobs by name: services say *that* something is to be done, tasks know how.

A job is declared below the services (`jobs.py` of an app) and carried out by the Celery task of the same name above.
"""

from dataclasses import dataclass
from typing import Generic, TypeVarTuple

from celery import current_app
from django.db import transaction

Arguments = TypeVarTuple("Arguments")


@dataclass(frozen=True, slots=True)
class Job(Generic[*Arguments]):
    """A job's name and the types of its arguments: ids and small values, since they travel as JSON."""

    name: str
    queue: str = "work"

    def enqueue_on_commit(self, *arguments: *Arguments) -> None:
        """Send it once the transaction has committed, so that the job finds what was written."""
        transaction.on_commit(lambda: current_app.send_task(self.name, args=list(arguments), queue=self.queue))
