"""What the common floor keeps in the database."""

from django.db import models


class IdempotentRequest(models.Model):
    """A POST that carried an Idempotency-Key, and the answer it was given (none while it is under way)."""

    key = models.CharField(max_length=128)
    owner = models.CharField(max_length=80, help_text="a user's id, or an address")
    route = models.CharField(max_length=255)
    body_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_index=True)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("owner", "route", "key"), name="one_request_per_key"),)

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
