"""The error tree and the exit codes: what can stop svcdoctor, as the user should hear it."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller. A crash or a broken pipe must never look like findings."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    COULD_NOT_LOOK = 3
    INTERNAL = 4
    INTERRUPTED = 130
    READER_LEFT = 141  # 128 + SIGPIPE, as of any program whose reader left; the answer is not known to have been read


class SvcdoctorError(Exception):
    """A failure with one line for the user: what is wrong, and what to do about it."""

    exit_code = ExitCode.INTERNAL

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class UsageError(SvcdoctorError):
    """The command line asks for something that does not exist."""

    exit_code = ExitCode.USAGE


class CouldNotLook(SvcdoctorError):
    """The cluster or the snapshot could not be read at all, so nothing can be said of the Service."""

    exit_code = ExitCode.COULD_NOT_LOOK


class BadData(CouldNotLook):
    """A document is not what its place says: not JSON, cut short, or of another shape.

    ``source`` names the file or API path.
    """

    def __init__(self, source: str, detail: str, advice: str = "") -> None:
        super().__init__(f"{source}: {detail}", advice)
        self.source = source
        self.detail = detail
