"""Where published files go: a directory, or any store that fsspec knows (s3://, gs://, memory://).

Directories need nothing beyond Python; other stores need `pip install 'veridict[store]'`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from veridict.core.errors import BadInput, MissingPart, StorageFailed, VeridictError
from veridict.core.files import sync
from veridict.ledger.schema import storage_errors


class FileStore(Protocol):
    """`path` is relative, with slashes; names are those of c2sp.org/tlog-tiles and no others."""

    def read(self, path: str) -> bytes | None:
        """None where there is no such file. Raises StorageFailed."""

    def write(self, path: str, data: bytes) -> None:
        """Whole or not at all to a reader. Raises StorageFailed."""

    def settle(self) -> None:
        """Everything written so far is durable on return. Raises StorageFailed."""

    def remove(self, path: str) -> None:
        """The file or folder, if it is there. Raises StorageFailed."""


def open_store(destination: str) -> FileStore:
    """A folder's path, or a URL of fsspec's. Raises BadInput, MissingPart."""
    parts = urlsplit(destination)
    if "://" not in destination:
        return DirectoryStore(Path(destination).expanduser())
    if parts.scheme == "file":
        return DirectoryStore(Path(unquote(parts.path)))
    if parts.scheme in ("http", "https"):
        raise BadInput(
            "files cannot be published over plain HTTP",
            remedy="name a folder, or a store such as s3://bucket/log",
        )
    return FsspecStore(destination)


class DirectoryStore:
    """Files below `root`, each written beside its place and then renamed into it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._unsettled: set[Path] = set()

    def read(self, path: str) -> bytes | None:
        with storage_errors(self._root):
            try:
                return (self._root / path).read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None

    def write(self, path: str, data: bytes) -> None:
        place = self._root / path
        fresh = place.with_name(f".{place.name}.{os.getpid()}")
        with storage_errors(self._root):
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                fresh.write_bytes(data)
                fresh.replace(place)
            finally:
                fresh.unlink(missing_ok=True)

        self._unsettled |= {place, place.parent}

    def settle(self) -> None:
        with storage_errors(self._root):
            while self._unsettled:
                with suppress(FileNotFoundError):  # removed since
                    sync(self._unsettled.pop())

    def remove(self, path: str) -> None:
        place = self._root / path
        with storage_errors(self._root):
            if place.is_dir():
                for file in place.iterdir():
                    file.unlink(missing_ok=True)
                place.rmdir()
            else:
                place.unlink(missing_ok=True)


class FsspecStore:
    """Any file system of fsspec's. Object stores replace a file at once, as `write` asks."""

    def __init__(self, url: str) -> None:
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            raise MissingPart(
                f"{url.partition(':')[0]}:// needs fsspec",
                remedy="pip install 'veridict[store]', and fsspec's part for that store",
            ) from error
        with _store_errors(url):
            fs, root = url_to_fs(url)
        self._fs: Any = fs
        self._root: str = root.rstrip("/")
        self._url = url

    def read(self, path: str) -> bytes | None:
        with _store_errors(self._url):
            try:
                data: bytes = self._fs.cat_file(self._place(path))
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None
            return data

    def write(self, path: str, data: bytes) -> None:
        place = self._place(path)
        with _store_errors(self._url):
            self._fs.makedirs(place.rpartition("/")[0], exist_ok=True)
            self._fs.pipe_file(place, data)

    def settle(self) -> None:
        """Stores behind fsspec have what `pipe_file` returned from."""

    def remove(self, path: str) -> None:
        with _store_errors(self._url):
            if self._fs.exists(self._place(path)):
                self._fs.rm(self._place(path), recursive=True)

    def _place(self, path: str) -> str:
        return f"{self._root}/{path}"


@contextmanager
def _store_errors(url: str) -> Iterator[None]:
    """Each store of fsspec's raises its own library's errors: all of them mean the same here."""
    try:
        yield
    except VeridictError:
        raise
    except Exception as error:
        raise StorageFailed(
            f"{url}: {type(error).__name__}: {error}",
            remedy="see that the store exists and that its credentials are set",
            url=url,
        ) from error
