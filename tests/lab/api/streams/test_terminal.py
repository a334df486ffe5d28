"""The resize stream."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab.api.streams import Size
from svcdoctor.lab.api.streams.terminal import LONGEST, Sizes


def _sizes(*pieces: bytes) -> list[Size]:
    """What is read when all has come, and the stream has ended."""

    async def read() -> list[Size]:
        sizes = Sizes()
        for piece in pieces:
            sizes.feed(piece)
        sizes.close()
        return [size async for size in sizes]

    return asyncio.run(read())


def test_sizes_as_they_come():
    async def test() -> None:
        sizes = Sizes()
        reading = asyncio.create_task(anext(sizes))
        await asyncio.sleep(0)
        sizes.feed(b'{"Width":80,"Height":24}\n')
        assert await reading == Size(80, 24)
        sizes.feed(b'{"Width":81,"Height":24}{"Width":82,"Height":25}')
        assert await anext(sizes) == Size(82, 25)

    asyncio.run(test())


@given(st.integers(1, 30))
def test_an_object_may_be_cut_anywhere(size):
    text = b'{"Width":80,"Height":24} '
    assert _sizes(*(text[start : start + size] for start in range(0, len(text), size))) == [Size(80, 24)]


@pytest.mark.parametrize(
    "bad",
    [
        b"nonsense",
        b"[1]",
        b'{"Width":-1}',
        b'{"Width":65536}',
        b'{"Width":"80"}',
        b"{]}",
        b"{" * (LONGEST + 1),
        b"\xff",
    ],
)
def test_what_is_no_size_ends_the_stream(bad):
    assert _sizes(b'{"Width":80,"Height":24}', bad, b'{"Width":1,"Height":1}') == [Size(80, 24)]


@given(st.lists(st.binary(max_size=30), max_size=5))
def test_garbage_gives_sizes_or_none(pieces):
    assert all(isinstance(size, Size) for size in _sizes(*pieces))
