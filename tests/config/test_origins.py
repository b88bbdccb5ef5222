"""A WebSocket is opened by our own pages, or with a token."""

import pytest

from config.origins import allowed

HOSTS = ["meet.example", "127.0.0.1"]


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({b"host": b"meet.example", b"origin": b"https://meet.example"}, True),
        ({b"host": b"127.0.0.1:8000", b"origin": b"http://127.0.0.1:8000"}, True),
        ({b"host": b"127.0.0.1:8000", b"origin": b"http://127.0.0.1:9000"}, False),
        ({b"host": b"meet.example", b"origin": b"https://evil.example"}, False),
        ({b"host": b"meet.example", b"origin": b"https://other.example"}, True),
        ({b"host": b"meet.example", b"origin": b"null"}, False),
        ({b"host": b"meet.example"}, False),
        ({b"host": b"meet.example", b"authorization": b"Bearer abc"}, True),
        ({b"host": b"meet.example", b"authorization": b"Bearer abc", b"origin": b"https://evil.example"}, False),
        ({b"host": b"evil.example", b"origin": b"https://evil.example"}, False),
        ({b"host": b"evil.example", b"authorization": b"Bearer abc"}, False),
        ({}, False),
    ],
)
def test_only_our_pages_and_tokens_open_a_socket(headers: dict[bytes, bytes], answer: bool) -> None:
    assert allowed(headers, HOSTS, ["https://other.example"]) is answer
