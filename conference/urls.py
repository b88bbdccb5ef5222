"""Addresses of meetings: `urlpatterns` under /api/v1/, `pages` under /."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
pages: list[URLPattern] = []
