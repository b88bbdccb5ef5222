"""The first look at an SDP (RFC 8866): its size and shape, in one pass that stops at the first excess.

Nothing else touches a text that has not passed here: whatever follows works on at most 64 sections of few lines each.
"""

from dataclasses import dataclass

MOST_BYTES = 128 * 1024
MOST_SECTIONS = 64
MOST_LINE = 2048
_MOST_OF = {
    "rtpmap": 96,
    "fmtp": 96,
    "rtcp-fb": 512,
    "ssrc": 64,
    "ssrc-group": 16,
    "candidate": 64,
    "extmap": 48,
    "rid": 8,
}
"""Lines of one kind in one section; about four times what Chromium writes. Of any other attribute: 16."""
_MOST_OF_OTHERS = 16


class BadSdp(ValueError):
    """An SDP that is not answered. `code` is one of sdp.malformed, sdp.too-large, sdp.no-common-codec,
    sdp.no-fingerprint; `lines` is how many lines were looked at before (0: none).
    """

    def __init__(self, code: str, detail: str, *, lines: int = 0) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail, self.lines = code, detail, lines


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """RFC 8122 §5: `algorithm` in lower case, `value` as upper-case hex pairs between colons."""

    algorithm: str
    value: str

    def __str__(self) -> str:
        return f"{self.algorithm} {self.value}"


@dataclass(frozen=True, slots=True)
class Block:
    """The head of a description, or one media section: its first line without `m=`, and attributes in their order.

    `attributes` is (name, value); the value is "" for a flag.
    """

    first: str
    attributes: tuple[tuple[str, str], ...]

    def all(self, name: str) -> list[str]:
        """The values of every attribute of a name."""
        return [value for key, value in self.attributes if key == name]

    def one(self, name: str) -> str | None:
        """The value of the first attribute of a name; None where there is none."""
        return next((value for key, value in self.attributes if key == name), None)

    def has(self, name: str) -> bool:
        """Whether an attribute of a name is there."""
        return any(key == name for key, _ in self.attributes)


def read_structure(text: str) -> tuple[Block, tuple[Block, ...]]:
    """Cut a text into its head and its media sections.

    Raises BadSdp (sdp.too-large) at the first excess and (sdp.malformed) at the first line that is none.
    """
    if len(text) > MOST_BYTES or (not text.isascii() and len(text.encode(errors="replace")) > MOST_BYTES):
        raise BadSdp("sdp.too-large", "more than 128 KiB")
    firsts = [""]
    blocks: list[list[tuple[str, str]]] = [[]]
    counts: dict[str, int] = {}
    position = number = 0
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        line = text[position:end].removesuffix("\r")
        position = end + 1
        number += 1
        if len(line) > MOST_LINE:
            raise BadSdp("sdp.too-large", f"line {number} is too long", lines=number)
        if not line:
            continue
        if len(line) < 2 or line[1] != "=" or not line.isprintable():
            raise BadSdp("sdp.malformed", f"line {number} is no SDP", lines=number)
        if number == 1 and line != "v=0":
            raise BadSdp("sdp.malformed", "does not begin with v=0", lines=number)
        if line[0] == "m":
            if len(blocks) > MOST_SECTIONS:
                raise BadSdp("sdp.too-large", f"more than {MOST_SECTIONS} sections", lines=number)
            firsts.append(line[2:])
            blocks.append([])
            counts = {}
            continue
        name, _, value = line[2:].partition(":") if line[0] == "a" else (f"{line[0]}=", "", line[2:])
        counts[name] = counts.get(name, 0) + 1
        if counts[name] > _MOST_OF.get(name, _MOST_OF_OTHERS) or len(counts) > 64:
            raise BadSdp("sdp.too-large", f"line {number}: too many of its kind", lines=number)
        if line[0] == "a":
            blocks[-1].append((name, value))
    if not number:
        raise BadSdp("sdp.malformed", "empty")
    head, *media = (Block(first, tuple(lines)) for first, lines in zip(firsts, blocks, strict=True))
    return head, tuple(media)
