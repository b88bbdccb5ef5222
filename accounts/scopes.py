"""What an API key may be allowed to do. A closed list: `area:read` or `area:write`; writing includes reading."""

AREAS = ("rooms", "meetings", "devices", "nodes")
SCOPES = tuple(f"{area}:{verb}" for area in AREAS for verb in ("read", "write"))


def covers(granted: list[str], area: str, *, writing: bool) -> bool:
    """Whether the granted scopes reach that far."""
    return f"{area}:write" in granted or (not writing and f"{area}:read" in granted)
