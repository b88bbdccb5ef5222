"""Room links that nobody guesses and everybody can read out: three groups of letters."""

import secrets

_LETTERS = "abcdefghijkmnpqrstuvwxyz"
"""Without l and o, which look like digits."""
_GROUPS = (3, 4, 3)


def new_slug() -> str:
    """Such as `xkf-qtrn-bde`: 24**10, about 46 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(length)) for length in _GROUPS)
