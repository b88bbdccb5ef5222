"""The pages as they are drawn."""

from typing import Any

import pytest
from django.test import Client


@pytest.mark.parametrize("path", ["/", "/r/blue/", "/r/nope/", "/accounts/login/"])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page_is_drawn_in_each_language(scene: Any, path: str, language: str, settings: Any) -> None:
    client = Client(headers={"accept-language": language})
    if path == "/":
        client.force_login(scene.host, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(path)
    assert answer.status_code == (404 if "nope" in path else 200)
    assert b"<html" in answer.content
