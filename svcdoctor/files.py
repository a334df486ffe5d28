"""Named files in a folder or in one .tar.gz: written whole or not at all, read with care.

What is read may come from anywhere. Names that lead out of their place, links, devices and pipes are refused, sizes are
bounded before memory is, and nothing is ever extracted to the disk.
"""

import gzip
import os
import stat
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path, PurePosixPath
from shutil import rmtree
from typing import IO

from .errors import BadData, CouldNotLook, UsageError

MAX_FILES = 100_000
MAX_FILE = 256 << 20
MAX_TOTAL = 512 << 20
"""Bytes, inflated. A list of 10,000 pods has about 70 MB as the API server sends it, half of that as it is saved."""

MAX_RATIO = 200
RATIO_FROM = 32 << 20
"""How many times its size an archive may inflate to, judged from so many bytes on. Lists of pods reach 20 to 60."""

COMPRESSION = 6  # gzip's own default; Python's, 9, takes twice as long for 1 % less

TAR_ERRORS = (tarfile.TarError, EOFError, OSError, zlib.error, ValueError, OverflowError, RecursionError, IndexError)
"""What Python's readers raise over bytes that are no .tar.gz."""


def is_archive(path: Path) -> bool:
    return path.name.endswith((".tar.gz", ".tgz"))


# ------------------------------------------------------------------------------------------------------------- writing


def write(destination: Path, files: Mapping[str, bytes], moment: datetime) -> None:
    """All ``files`` or nothing, as one archive if ``destination`` is named like one, else as a folder.

    An archive's bytes depend on ``files`` and ``moment`` only. Raises UsageError for a place that can't be meant, and
    CouldNotLook where the system refuses.
    """
    for name in files:
        if _leads_out(PurePosixPath(name)):
            raise BadData(str(destination), f"can't hold a file with the name {name!r}")
    staging = None
    try:
        _check_place(destination)
        staging = Path(tempfile.mkdtemp(prefix=".svcdoctor-", dir=destination.parent))
        staged = staging / "snapshot"
        (_write_archive if is_archive(destination) else _write_folder)(staged, files, moment)
        staged.replace(destination)
    except OSError as error:
        raise CouldNotLook(f"can't write {destination}: {error.strerror}", "name another place") from None
    finally:
        if staging is not None:
            rmtree(staging, ignore_errors=True)


def _check_place(destination: Path) -> None:
    if not destination.parent.is_dir():
        raise UsageError(f"there is no folder {destination.parent}", "make it first, or name another place")
    if is_archive(destination):
        if destination.is_dir():
            raise UsageError(f"{destination} is a folder", "name a file that ends in .tar.gz, or a new folder")
    elif destination.is_dir():
        if any(destination.iterdir()):
            raise UsageError(f"the folder {destination} is not empty", "name a new one, or a file that ends in .tar.gz")
    elif destination.exists():
        raise UsageError(f"{destination} is a file", "name a file that ends in .tar.gz, or a new folder")


def _write_folder(place: Path, files: Mapping[str, bytes], moment: datetime) -> None:
    place.mkdir()
    for name, body in files.items():
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)


def _write_archive(place: Path, files: Mapping[str, bytes], moment: datetime) -> None:
    seconds = min(max(int(moment.timestamp()), 0), 0xFFFFFFFF)  # what gzip can hold
    with (
        place.open("wb") as raw,
        gzip.GzipFile("", "wb", COMPRESSION, fileobj=raw, mtime=seconds) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for name, body in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(body), seconds
            archive.addfile(member, BytesIO(body))


# ------------------------------------------------------------------------------------------------------------- reading


def top(source: Path) -> frozenset[str] | None:
    """The names at the top of a folder; None where there is none. Raises CouldNotLook."""
    with _reading(source):
        return frozenset(entry.name for entry in source.iterdir()) if source.is_dir() else None


def read(source: Path, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """The files of a folder or a .tar.gz whose names are ``wanted``, by name, sorted.

    Raises UsageError where there is no such place, CouldNotLook where the system refuses, BadData for an archive that
    is damaged, hostile or too large.
    """
    with _reading(source):
        mode = source.stat().st_mode
        if stat.S_ISDIR(mode):
            return dict(sorted(_read_folder(source, wanted)))
        if stat.S_ISREG(mode):
            return dict(sorted(_read_archive(source, wanted)))
        raise UsageError(f"{source} is neither a folder nor a file", "name a folder or a .tar.gz")


@contextmanager
def _reading(source: Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"{source} does not exist", "name a folder or a .tar.gz") from None
    except OSError as error:
        raise CouldNotLook(f"can't read {error.filename or source}: {error.strerror}") from None


def _leads_out(path: PurePosixPath) -> bool:
    return path.is_absolute() or ".." in path.parts


def _read_folder(source: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    limits = _Limits(source)
    for folder, folders, names in os.walk(source, onerror=_raise):
        for entry in (Path(folder, name) for name in (*folders, *names)):
            name = entry.relative_to(source).as_posix()
            status = entry.lstat()
            if stat.S_ISDIR(status.st_mode):
                continue
            if not stat.S_ISREG(status.st_mode):
                raise BadData(str(source), f"{name!r} is a link or no file at all; a snapshot holds plain files only")
            limits.count(name, status.st_size)
            if wanted(name):
                with entry.open("rb") as file:
                    yield name, limits.take(file.read(MAX_FILE + 1))


def _raise(error: OSError) -> None:
    raise error


def _read_archive(source: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    limits = _Limits(source)
    with source.open("rb") as packed:
        try:
            stream = _Inflated(packed, limits)
            with tarfile.open(fileobj=stream, mode="r|") as archive:  # type: ignore[call-overload]
                for member in archive:
                    name = _safe_name(source, member)
                    limits.count(name, member.size)
                    if member.isreg() and wanted(name):
                        content: IO[bytes] = archive.extractfile(member)
                        yield name, content.read()
            stream.check_end()
        except TAR_ERRORS as error:
            raise BadData(str(source), f"not a whole .tar.gz ({error})", "copy or save it again") from None


def _safe_name(source: Path, member: tarfile.TarInfo) -> str:
    path = PurePosixPath(member.name)
    if _leads_out(path):
        raise BadData(str(source), f"its member {member.name!r} leads out of the archive; it is not read")
    if member.issparse() or not (member.isreg() or member.isdir()):
        raise BadData(str(source), f"its member {member.name!r} is a link or no file at all; it is not read")
    return path.as_posix()


class _Limits:
    """What one snapshot may hold."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self.files = 0
        self.total = 0

    def count(self, name: str, size: int) -> None:
        self.files += 1
        if self.files > MAX_FILES:
            raise BadData(str(self.source), f"holds more than {MAX_FILES} files, which is no snapshot")
        if size > MAX_FILE:
            raise BadData(str(self.source), f"{name!r} has more than {MAX_FILE >> 20} MiB, which is too large to read")

    def take(self, chunk: bytes) -> bytes:
        self.total += len(chunk)
        if self.total > MAX_TOTAL:
            raise BadData(str(self.source), f"holds more than {MAX_TOTAL >> 20} MiB, which is too large to read")
        return chunk


class _Inflated:
    """The bytes inside a .gz, as far as the limits let them be read."""

    def __init__(self, packed: IO[bytes], limits: _Limits) -> None:
        self.packed = packed
        self.limits = limits
        self.inflated = gzip.GzipFile(fileobj=packed)
        self.end = b""

    def read(self, size: int) -> bytes:
        chunk = self.limits.take(self.inflated.read(size))
        total = self.limits.total
        if total > RATIO_FROM and total > MAX_RATIO * self.packed.tell():
            raise BadData(str(self.limits.source), f"inflates to more than {MAX_RATIO} times its size: not read")
        self.end = (self.end + chunk)[-1024:]
        return chunk

    def check_end(self) -> None:
        """Read on to the checksum. A tar ends with two empty blocks; one that was cut between members lacks them."""
        while self.read(1 << 16):
            pass
        if self.end != bytes(1024):
            raise EOFError("it ends too early")
