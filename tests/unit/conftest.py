"""Unit tests reach no network: a socket that connects is an error, here and not in production."""

import socket
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        pytest.fail("a unit test connected a socket: such tests belong in tests/api")

    monkeypatch.setattr(socket.socket, "connect", refuse)
