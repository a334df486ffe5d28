"""Container images as programs: what runs when a container of theirs is started, and what it says of itself."""

from .program import Answer, End, Line, Program, Socket
from .registry import Call, Command, Image, Images, InvalidName, Launch, PullFailed
from .shelf import lab_images

__all__ = [
    "Answer",
    "Call",
    "Command",
    "End",
    "Image",
    "Images",
    "InvalidName",
    "Launch",
    "Line",
    "Program",
    "PullFailed",
    "Socket",
    "lab_images",
]
