"""Calls side by side, in threads that never hold up the end of the program: Ctrl-C waits for nobody."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Workers:
    """At most ``most`` jobs at a time. The interpreter does not wait for its threads, as it does for an Executor's."""

    def __init__(self, most: int) -> None:
        self._places = threading.Semaphore(most)

    def submit(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()

        def work() -> None:
            with self._places:
                try:
                    future.set_result(job(*args, **kwargs))
                except BaseException as error:
                    future.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        return future
