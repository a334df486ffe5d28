"""What can go wrong in SPDY."""


class SpdyError(Exception):
    """The peer broke the protocol in a way after which nothing else of it can be understood."""
