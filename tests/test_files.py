"""Named files in a folder or a .tar.gz: written whole or not at all, read with care."""

import gzip
import io
import os
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcdoctor import files
from svcdoctor.errors import BadData, CouldNotLook, SvcdoctorError, UsageError

MOMENT = datetime(2026, 11, 23, 2, tzinfo=UTC)
CONTENT = {"meta.json": b"{}", "api/a/b.json": b"[1]", "logs/empty.txt": b""}
FORMS = pytest.mark.parametrize("name", ["out", "out.tar.gz", "out.tgz"])


def everything(name: str) -> bool:
    return True


def tar(*members: tarfile.TarInfo | str, body: bytes = b"x", format: int = tarfile.PAX_FORMAT) -> bytes:
    """A .tar.gz of plain files (given by name) and other members."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", format=format) as archive:
        for made in (plain(m, len(body)) if isinstance(m, str) else m for m in members):
            archive.addfile(made, io.BytesIO(body))
    return packed.getvalue()


def plain(name: str, size: int) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size = size
    return made


def member(name: str, type: bytes, linkname: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = type, linkname
    return made


def archive(folder: Path, content: bytes) -> Path:
    path = folder / "x.tar.gz"
    path.write_bytes(content)
    return path


# ------------------------------------------------------------------------------------------------------------- writing


@FORMS
def test_what_is_written_is_read(tmp_path: Path, name: str) -> None:
    files.write(tmp_path / name, CONTENT, MOMENT)
    assert files.read(tmp_path / name, everything) == CONTENT
    assert files.read(tmp_path / name, lambda name: name.startswith("api/")) == {"api/a/b.json": b"[1]"}
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_archive_depends_on_its_content_and_its_moment_only(tmp_path: Path) -> None:
    first, second, later = (tmp_path / name for name in ("a.tar.gz", "b.tar.gz", "c.tar.gz"))
    files.write(first, CONTENT, MOMENT)
    files.write(second, dict(reversed(CONTENT.items())), MOMENT)
    files.write(later, CONTENT, MOMENT.replace(year=2027))
    assert first.read_bytes() == second.read_bytes() != later.read_bytes()
    with tarfile.open(first) as members:
        told = [(m.name, m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members]
    assert told == [(name, MOMENT.timestamp(), 0, 0, "", "") for name in sorted(CONTENT)]


@pytest.mark.parametrize("year", [1, 1969, 2107, 9999])
def test_any_moment_can_be_written(tmp_path: Path, year: int) -> None:
    files.write(tmp_path / "a.tar.gz", CONTENT, MOMENT.replace(year=year))
    assert files.read(tmp_path / "a.tar.gz", everything) == CONTENT


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), OSError(28, "No space left on device")])
@pytest.mark.parametrize("name", ["out", "out.tar.gz"])
def test_an_interrupted_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, interruption: BaseException
) -> None:
    def interrupted(*_: object) -> int:
        raise interruption

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    monkeypatch.setattr(tarfile.TarFile, "addfile", interrupted)
    with pytest.raises((KeyboardInterrupt, CouldNotLook)) as caught:
        files.write(tmp_path / name, CONTENT, MOMENT)
    assert list(tmp_path.iterdir()) == []
    if isinstance(interruption, OSError):
        assert str(caught.value) == f"can't write {tmp_path / name}: No space left on device"


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "out.tar.gz"
    files.write(place, CONTENT, MOMENT)
    old = place.read_bytes()
    with pytest.raises(BadData):
        files.write(place, {"../x": b""}, MOMENT)
    files.write(place, CONTENT, MOMENT)
    assert place.read_bytes() == old


def test_an_empty_folder_is_filled_and_a_full_one_is_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "out"
    place.mkdir()
    files.write(place, CONTENT, MOMENT)
    with pytest.raises(UsageError, match=r"the folder .*/out is not empty") as caught:
        files.write(place, {"other": b""}, MOMENT)
    assert caught.value.advice == "name a new one, or a file that ends in .tar.gz"
    assert files.read(place, everything) == CONTENT


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none/out.tar.gz", "there is no folder {}/none"),
        ("file/out", "there is no folder {}/file"),
        ("folder.tar.gz", "{}/folder.tar.gz is a folder"),
        ("file", "{}/file is a file"),
    ],
)
def test_a_place_that_can_not_be_meant_is_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.tar.gz").mkdir()
    with pytest.raises(UsageError) as caught:
        files.write(tmp_path / name, CONTENT, MOMENT)
    assert caught.value.message == message.format(tmp_path)
    assert caught.value.advice


def test_a_refusal_of_the_system_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "meta.json"))

    files.write(tmp_path / "whole", CONTENT, MOMENT)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(CouldNotLook, match=r"^can't read .*/meta\.json: Permission denied$"):
        files.read(tmp_path / "whole", everything)
    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(CouldNotLook, match=r"^can't write .*/out: Permission denied$"):
        files.write(tmp_path / "out", CONTENT, MOMENT)


# ------------------------------------------------------------------------------------------------- reading what is bad


@pytest.mark.parametrize("name", ["none", "none.tar.gz", "file/inside"])
def test_a_place_that_does_not_exist(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    assert files.top(tmp_path / name) is None
    with pytest.raises(UsageError) as caught:
        files.read(tmp_path / name, everything)
    assert caught.value.message == f"{tmp_path / name} does not exist"


def test_a_pipe_is_no_snapshot_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="is neither a folder nor a file"):
        files.read(tmp_path / "pipe", everything)


@pytest.mark.parametrize(
    "hostile",
    [
        tar("/etc/cron.d/x"),
        tar("../x"),
        tar("api/../../x"),
        tar(member("x", tarfile.SYMTYPE, "/etc/passwd")),
        tar("y", member("x", tarfile.LNKTYPE, "y")),
        tar(member("x", tarfile.CHRTYPE)),
        tar(member("x", tarfile.BLKTYPE)),
        tar(member("x", tarfile.FIFOTYPE)),
        tar(member("x", tarfile.GNUTYPE_SPARSE), format=tarfile.GNU_FORMAT),
    ],
    ids=["absolute", "up", "up-later", "symlink", "hard-link", "device", "disk", "pipe", "sparse"],
)
def test_a_hostile_member_is_refused_by_name(tmp_path: Path, hostile: bytes) -> None:
    path = archive(tmp_path, hostile)
    with pytest.raises(BadData, match=r"x\.tar\.gz: its member '.*x' .*; it is not read$"):
        files.read(path, lambda name: False)
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.tar.gz"]


def test_links_and_pipes_in_a_folder_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for make in (
        lambda: (tmp_path / "a" / "x").symlink_to("/etc/passwd"),
        lambda: (tmp_path / "a" / "x").symlink_to(tmp_path),
        lambda: os.mkfifo(tmp_path / "a" / "x"),
    ):
        make()
        with pytest.raises(BadData, match=r": 'a/x' is a link or no file at all"):
            files.read(tmp_path, everything)
        (tmp_path / "a" / "x").unlink()


@pytest.fixture
def low_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(files, "MAX_FILES", 3)
    monkeypatch.setattr(files, "MAX_FILE", 1000)
    monkeypatch.setattr(files, "MAX_TOTAL", 40_000)
    monkeypatch.setattr(files, "RATIO_FROM", 12_000)
    monkeypatch.setattr(files, "MAX_RATIO", 20)
    yield


def long_header(size: int, name: str = "x") -> bytes:
    """A .tar.gz whose only member claims ``size`` bytes."""
    return gzip.compress(plain(name, size).tobuf() + bytes(4096))


@pytest.mark.usefixtures("low_limits")
@pytest.mark.parametrize(
    ("bomb", "detail"),
    [
        (tar("1", "2", "3", "4"), "holds more than 3 files, which is no snapshot"),
        (tar("x", body=bytes(1001)), "'x' has more than 0 MiB, which is too large to read"),
        (long_header(1 << 40), "'x' has more than 0 MiB, which is too large to read"),
        (
            tar("1", body=os.urandom(1000)) + gzip.compress(os.urandom(40_000)),
            "holds more than 0 MiB, which is too large to read",
        ),
        (gzip.compress(bytes(30_000)), "inflates to more than 20 times its size: not read"),
        (
            tar(member("x", tarfile.XHDTYPE), "x") + gzip.compress(bytes(20_000)),
            "inflates to more than 20 times its size: not read",
        ),
    ],
    ids=["count", "one", "claimed", "total", "ratio", "ratio-behind-the-end"],
)
def test_a_bomb_is_not_inflated(tmp_path: Path, bomb: bytes, detail: str) -> None:
    with pytest.raises(BadData) as caught:
        files.read(archive(tmp_path, bomb), everything)
    assert caught.value.detail == detail


@pytest.mark.usefixtures("low_limits")
def test_a_folder_has_the_same_limits(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(1001))
    with pytest.raises(BadData, match=r"'x' has more than 0 MiB"):
        files.read(tmp_path, everything)
    (tmp_path / "x").unlink()
    for name in "abcd":
        (tmp_path / name).touch()
    with pytest.raises(BadData, match="more than 3 files"):
        files.read(tmp_path, everything)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x1f\x8b", b"<html>not found</html>", b"PK\x03\x04", gzip.compress(b""), gzip.compress(b"x" * 5000)],
    ids=["empty", "magic", "html", "zip", "gzip-of-nothing", "gzip-of-no-tar"],
)
def test_what_is_no_archive_is_named(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BadData, match=r"x\.tar\.gz: not a whole \.tar\.gz \(.+\)$"):
        files.read(archive(tmp_path, content), everything)


WHOLE = tar("meta.json", "api/a.json", body=b'{"a": "' + os.urandom(3000).hex().encode() + b'"}')


def test_every_cut_of_an_archive_is_told(tmp_path: Path) -> None:
    for length in range(0, len(WHOLE), 37):
        with pytest.raises(BadData, match="not a whole"):
            files.read(archive(tmp_path, WHOLE[:length]), everything)


def test_a_tar_that_was_cut_between_members_is_told(tmp_path: Path) -> None:
    plain = gzip.decompress(tar("a", "b", body=bytes(512)))
    assert list(files.read(archive(tmp_path, gzip.compress(plain)), everything)) == ["a", "b"]
    with pytest.raises(BadData, match=r"\(it ends too early\)"):
        files.read(archive(tmp_path, gzip.compress(plain[:1024])), everything)


@given(data=st.data())
def test_any_damage_gives_files_or_one_documented_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Damage behind the checksum: a tar that was packed after it was broken."""
    plain = bytearray(gzip.decompress(tar("meta.json", "é" * 120, member("d", tarfile.DIRTYPE), body=b"{}")))
    for _ in range(data.draw(st.integers(1, 6))):
        position = data.draw(st.integers(0, len(plain) - 1))
        piece = data.draw(st.binary(min_size=1, max_size=12))
        plain[position : position + len(piece)] = piece
    path = archive(tmp_path_factory.mktemp("damaged"), gzip.compress(bytes(plain), 1))
    try:
        assert isinstance(files.read(path, everything), dict)
    except SvcdoctorError as error:
        assert str(path) in error.message


def test_a_chain_of_headers_is_no_crash(tmp_path: Path) -> None:
    chain = b"".join(
        member("x", type).tobuf() for _ in range(3000) for type in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME)
    )
    with pytest.raises(BadData, match="not a whole"):
        files.read(archive(tmp_path, gzip.compress(chain + bytes(1024))), everything)
