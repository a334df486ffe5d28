"""SPDY/3.1 header blocks: names and values behind lengths, compressed with a dictionary that both sides know.

SPDY protocol, draft 3.1, sections 2.6.10 and 2.6.10.1. One compressor lives as long as its connection, so blocks can
only be read in the order in which they were written.
"""

import struct
import zlib
from collections.abc import Mapping

from .errors import SpdyError

LONGEST = 1 << 16
"""Bytes of one block, unpacked. A kubectl's has about 80."""

_WORDS = (
    "options,head,post,put,delete,trace,accept,accept-charset,accept-encoding,accept-language,accept-ranges,age,allow,"
    "authorization,cache-control,connection,content-base,content-encoding,content-language,content-length,"
    "content-location,content-md5,content-range,content-type,date,etag,expect,expires,from,host,if-match,"
    "if-modified-since,if-none-match,if-range,if-unmodified-since,last-modified,location,max-forwards,pragma,"
    "proxy-authenticate,proxy-authorization,range,referer,retry-after,server,te,trailer,transfer-encoding,upgrade,"
    "user-agent,vary,via,warning,www-authenticate,method,get,status,200 OK,version,HTTP/1.1,url,public,set-cookie,"
    "keep-alive,origin"
)
_TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden"
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
    "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
DICTIONARY = b"".join(struct.pack(">I", len(word)) + word.encode() for word in _WORDS.split(",")) + _TAIL.encode()

Headers = Mapping[str, str]
"""Values by lower-case name. Several values of one name are joined by NUL, as on the wire."""


class HeaderPacker:
    """Writes the header blocks of one connection."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(zlib.Z_BEST_COMPRESSION, zdict=DICTIONARY)

    def pack(self, headers: Headers) -> bytes:
        """The next block."""
        block = struct.pack(">I", len(headers))
        for name, value in headers.items():
            block += _string(name.lower()) + _string(value)
        return self._compressor.compress(block) + self._compressor.flush(zlib.Z_SYNC_FLUSH)


class HeaderUnpacker:
    """Reads the header blocks of one connection."""

    def __init__(self) -> None:
        self._decompressor = zlib.decompressobj(zdict=DICTIONARY)

    def unpack(self, packed: bytes) -> dict[str, str]:
        """The next block. Raises SpdyError; no later block can then be read."""
        try:
            block = self._decompressor.decompress(packed, LONGEST)
        except zlib.error as error:
            raise SpdyError(f"header block: {error}") from error
        if self._decompressor.unconsumed_tail:
            raise SpdyError("header block: too long")
        if self._decompressor.eof:
            raise SpdyError("header block: the compression ended")
        return _parse(block)


def _parse(block: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    try:
        (count,) = struct.unpack_from(">I", block)
        at = 4
        for _ in range(count):
            name, at = _take(block, at)
            value, at = _take(block, at)
            headers[name.lower()] = value
    except struct.error as error:
        raise SpdyError("header block: cut off") from error
    if at != len(block):
        raise SpdyError("header block: more than it counts")
    return headers


def _take(block: bytes, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from(">I", block, at)
    end = at + 4 + length
    if end > len(block):
        raise SpdyError("header block: cut off")
    return block[at + 4 : end].decode("utf-8", "replace"), end


def _string(text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    return struct.pack(">I", len(data)) + data
