"""Ports that are kept for a process that is not there yet, or not there any more."""

import socket

import pytest

from runtime.embedded.child import free_port, hold_port, port_is_free, shared_listener


def test_a_held_port_is_free_for_nobody_but_the_one_it_is_held_for() -> None:
    port = free_port()
    held = hold_port(port)
    assert held is not None
    with held:
        assert not port_is_free(port)
        with shared_listener(port) as listener:
            listener.listen()
            with socket.create_connection(("127.0.0.1", port), 5), listener.accept()[0]:
                pass
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 5)
        assert not port_is_free(port)

    assert port_is_free(port)


def test_a_port_that_is_taken_cannot_be_held() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert hold_port(taken.getsockname()[1]) is None
