"""Accounts and API keys for operators."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.forms import JSONField, ModelForm, MultipleChoiceField
from django.http import HttpRequest

from accounts import services
from accounts.models import ApiKey, User
from accounts.scopes import SCOPES


@admin.register(User)
class AccountAdmin(UserAdmin[User]):
    """People with an account."""

    list_display = ("username", "display_name", "email", "is_staff", "is_active", "last_login")
    search_fields = ("username", "display_name", "email")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("display_name", "email", "language")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")


class ApiKeyForm(ModelForm[ApiKey]):
    """Scopes as boxes to tick."""

    scopes: "MultipleChoiceField | JSONField" = MultipleChoiceField(choices=[(s, s) for s in SCOPES])

    class Meta:
        model = ApiKey
        fields = ("owner", "name", "scopes")


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin[ApiKey]):
    """Keys of integrations. The token is shown once, when the key is made."""

    form = ApiKeyForm
    list_display = ("name", "prefix", "owner", "scopes", "created_at", "last_used_at", "revoked_at")
    list_filter = ("revoked_at",)
    search_fields = ("name", "prefix", "owner__username")
    autocomplete_fields = ("owner",)
    readonly_fields = ("prefix", "created_at", "last_used_at", "revoked_at")
    actions = ("revoke",)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Make the key through the service, and show its token."""
        if change:
            super().save_model(request, obj, form, change)
            return
        made, token = services.create_api_key(owner_id=obj.owner_id, name=obj.name, scopes=obj.scopes)
        obj.__dict__.update({k: v for k, v in made.__dict__.items() if k != "_state"})
        obj._state = made._state
        self.message_user(request, f"Write this key down, it is not shown again: {token}", messages.WARNING)

    @admin.action(description="Revoke the selected keys")
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Through the service."""
        for key in queryset:
            services.revoke_api_key(key_id=key.pk)
