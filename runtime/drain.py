"""Let long connections end when the process is told to: the server waits for them before it says goodbye to the app."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def on_stop_signal(then: Callable[[], None]) -> Iterator[None]:
    """Call `then` in the running loop at the first stop signal, besides what the server does with it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def stop(number: int, where: FrameType | None) -> None:
        loop.call_soon_threadsafe(then)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, where)

    for number in _SIGNALS:
        if callable(before[number]) and before[number] is not signal.default_int_handler:
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is stop:
                signal.signal(number, handler)
