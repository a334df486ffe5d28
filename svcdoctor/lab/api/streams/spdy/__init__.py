"""SPDY/3.1, as far as kubectl needs it: many streams over one connection, both sides opening, none pushed."""

from .errors import SpdyError
from .session import Carrier, Session, Stream

__all__ = ["Carrier", "Session", "SpdyError", "Stream"]
