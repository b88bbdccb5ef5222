"""Who somebody is."""

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower

from common.ids import new_id


class User(AbstractUser):
    """Somebody with an account. Operators run the installation (Django's `is_staff`)."""

    class Language(models.TextChoices):
        """The languages of the interface."""

        ENGLISH = "en", "English"
        CHINESE = "zh-hans", "简体中文"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(blank=True)
    display_name = models.CharField(max_length=80, blank=True)
    language = models.CharField(max_length=10, choices=Language, default=Language.ENGLISH)
    # One display name, as people write it; first and last names do not fit everybody.
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]

    class Meta(AbstractUser.Meta):
        constraints = (
            models.UniqueConstraint(Lower("email"), condition=~models.Q(email=""), name="one_account_per_email"),
        )

    def __str__(self) -> str:
        return self.shown_name

    def clean(self) -> None:
        """Normalize without first and last names."""
        self.username = self.normalize_username(self.username)
        self.email = type(self).objects.normalize_email(self.email)

    def get_full_name(self) -> str:
        """The name that others see."""
        return self.shown_name

    def get_short_name(self) -> str:
        """The name that others see."""
        return self.shown_name

    @property
    def shown_name(self) -> str:
        """The name that others see."""
        return self.display_name or self.username

    @property
    def is_operator(self) -> bool:
        """Whether they run the installation."""
        return self.is_active and self.is_staff


class ApiKey(models.Model):
    """A key of an integration, which acts as its owner within its scopes. Only a hash of the secret is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=list, help_text='such as ["rooms:read", "meetings:write"]')
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
