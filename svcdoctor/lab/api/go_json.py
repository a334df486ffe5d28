"""What Go's JSON scanner says of text that is no JSON, for the beginnings where people go wrong (encoding/json)."""

LITERALS = (b"null", b"true", b"false")
BLANK = b" \t\r\n"


def complaint(text: bytes) -> str:
    """Why ``text`` is no JSON value."""
    text = text.lstrip(BLANK)
    if not text:
        return "unexpected end of JSON input"
    if text[:1] not in b'{["-0123456789ntf' or not text[:1]:
        return f"invalid character {_quoted(text[0])} looking for beginning of value"
    for literal in LITERALS:
        if text[:1] == literal[:1]:
            return _in_literal(text, literal)
    if text[:1] in (b"{", b"["):
        return _in_container(text)
    return "invalid character after top-level value"


def _in_literal(text: bytes, literal: bytes) -> str:
    for index in range(1, len(literal)):
        if index >= len(text):
            return "unexpected end of JSON input"
        if text[index] != literal[index]:
            wanted = _quoted(literal[index])
            return f"invalid character {_quoted(text[index])} in literal {literal.decode()} (expecting {wanted})"
    return _after(text[len(literal) :].lstrip(BLANK))


def _in_container(text: bytes) -> str:
    inner = text[1:].lstrip(BLANK)
    if not inner or inner.rstrip(BLANK)[-1:] not in (b"}", b"]"):
        return "unexpected end of JSON input"
    if text[:1] == b"{" and inner[:1] not in (b'"', b"}"):
        return f"invalid character {_quoted(inner[0])} looking for beginning of object key string"
    return "invalid JSON syntax"


def _after(rest: bytes) -> str:
    if not rest:
        return "json: cannot unmarshal into Go value"
    return f"invalid character {_quoted(rest[0])} after top-level value"


def _quoted(byte: int) -> str:
    return "'\\''" if byte == 0x27 else f"'{chr(byte)}'"
