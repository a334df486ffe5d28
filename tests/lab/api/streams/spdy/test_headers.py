"""SPDY header blocks."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor.lab.api.streams.spdy.errors import SpdyError
from svcdoctor.lab.api.streams.spdy.headers import DICTIONARY, HeaderPacker, HeaderUnpacker

names = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=20)
blocks = st.lists(st.dictionaries(names, st.text(max_size=50), max_size=5), max_size=5)


def test_the_dictionary_is_that_of_the_specification():
    """Each SPDY/3 connection begins with its checksum, as kubectl's does: 78 f9 e3c6a7c2."""
    assert (len(DICTIONARY), zlib.adler32(DICTIONARY)) == (1423, 0xE3C6A7C2)


@given(blocks)
def test_what_is_packed_is_unpacked(written):
    packer, unpacker = HeaderPacker(), HeaderUnpacker()
    assert [unpacker.unpack(packer.pack(headers)) for headers in written] == written


def test_names_are_lower_case():
    assert HeaderUnpacker().unpack(HeaderPacker().pack({"StreamType": "Error"})) == {"streamtype": "Error"}


@pytest.mark.parametrize(
    ("block", "why"),
    [
        (b"", "header block: cut off"),
        (struct.pack(">I", 1), "header block: cut off"),
        (struct.pack(">III", 1, 0, 5) + b"four", "header block: cut off"),
        (struct.pack(">II", 1, 0xFFFFFFFF), "header block: cut off"),
        (struct.pack(">I", 0) + b"more", "header block: more than it counts"),
        (b"\0" * 100_000, "header block: too long"),
    ],
)
def test_a_block_that_can_not_be(block, why):
    compressor = zlib.compressobj(9, zdict=DICTIONARY)
    packed = compressor.compress(block) + compressor.flush(zlib.Z_SYNC_FLUSH)
    with pytest.raises(SpdyError, match=why):
        HeaderUnpacker().unpack(packed)


def test_a_compression_that_ends():
    compressor = zlib.compressobj(9, zdict=DICTIONARY)
    with pytest.raises(SpdyError, match="the compression ended"):
        HeaderUnpacker().unpack(compressor.compress(struct.pack(">I", 0)) + compressor.flush())


@given(st.lists(st.binary(max_size=100), max_size=4))
def test_garbage_is_one_error(pieces):
    unpacker = HeaderUnpacker()
    for piece in pieces:
        try:
            unpacker.unpack(piece)
        except SpdyError:
            return
