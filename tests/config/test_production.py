"""Production refuses to start unsafe: real processes, since settings are read once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.environment import ROOT

STRONG = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
START = "import django; django.setup(); from config.checks import require_safe_settings; require_safe_settings()"


def started(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "QUORUM_STATE_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings", **variables}
    return subprocess.run([sys.executable, "-c", START], cwd=ROOT, env=environ, capture_output=True, text=True)


SAFE = {"QUORUM_MODE": "production", "QUORUM_SECRET_KEY": STRONG, "QUORUM_HOSTS": "meet.example"}


def test_safe_settings_start(tmp_path: Path) -> None:
    run = started(tmp_path, **SAFE)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"QUORUM_DEBUG": "true"}, "QUORUM_DEBUG is on in production"),
        ({"QUORUM_HOSTS": "*"}, "QUORUM_HOSTS holds a wildcard"),
        ({"QUORUM_SECRET_KEY": "change-me"}, "QUORUM_SECRET_KEY is too weak"),
        ({"QUORUM_SECRET_KEY": ""}, "QUORUM_SECRET_KEY: must be given in production"),
    ],
)
def test_an_unsafe_setting_is_refused_by_name(tmp_path: Path, changed: dict[str, str], said: str) -> None:
    run = started(tmp_path, **{**SAFE, **changed})
    assert run.returncode != 0
    assert said in run.stderr


def test_embedded_mode_needs_nothing(tmp_path: Path) -> None:
    run = started(tmp_path)
    assert run.returncode == 0, run.stderr
