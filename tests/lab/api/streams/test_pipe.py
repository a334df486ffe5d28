"""The bounded pipe."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab.api.streams.pipe import Pipe


@given(st.lists(st.binary(max_size=50)), st.integers(1, 20), st.integers(1, 60))
def test_all_comes_out_in_order_and_little_is_held(written, limit, piece):
    async def test() -> None:
        pipe = Pipe(limit)

        async def write() -> None:
            for data in written:
                await pipe.write(data)
                assert len(pipe._held) < limit + len(data) + 1
            pipe.close()

        writing = asyncio.create_task(write())
        got = b""
        while data := await pipe.read(piece):
            assert len(data) <= piece
            got += data
        await writing
        assert got == b"".join(written)

    asyncio.run(test())


def test_a_full_pipe_waits_and_an_abandoned_one_drops():
    async def test() -> None:
        pipe = Pipe(1)
        await pipe.write(b"held")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await pipe.write(b"waits")
        waiting = asyncio.create_task(pipe.write(b"waits"))
        await asyncio.sleep(0)
        pipe.abandon()
        await waiting
        await pipe.write(b"dropped")
        assert await pipe.read() == b""
        assert pipe._waiters == set()

    asyncio.run(test())
