"""Packets of others (QUORUM_CORPORA, else ../shared/corpora beside the checkout), and seeded mutations of them."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]


def corpus(*folders: str) -> list[bytes]:
    """Every file below the folders. Skips the test, by name, where they are missing."""
    base = Path(os.environ.get("QUORUM_CORPORA", _ROOT.parent / "shared" / "corpora"))
    found = [path for folder in folders for path in sorted((base / folder).rglob("*")) if path.is_file()]
    if not found:
        pytest.skip(f"corpora {', '.join(folders)} are not beside the checkout (QUORUM_CORPORA)")
    return [path.read_bytes() for path in found]


def mutations(samples: list[bytes], each: int, seed: int = 1) -> Iterator[bytes]:
    """The samples, and of each so many mutations: flipped bits, cuts, doubled and overwritten parts."""
    chance = random.Random(seed)
    for sample in samples:
        yield sample
        for _ in range(each):
            data = bytearray(sample)
            for _ in range(chance.randint(1, 4)):
                if not data:
                    break
                at = chance.randrange(len(data))
                match chance.randrange(5):
                    case 0:
                        data[at] ^= 1 << chance.randrange(8)
                    case 1:
                        data[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
                    case 2:
                        del data[at:]
                    case 3:
                        data[at:at] = data[at : at + chance.randint(1, 16)]
                    case _:
                        data[at : at + 2] = chance.randbytes(2)
            yield bytes(data)
