"""Published files: what the log holds, readable by a stranger, in any order of failures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ledger import make_entry, make_signer, make_vault, slow_consistency, slow_root
from tests.support.tlog import cosigned, cosigner, head, policy
from veridict.core.errors import BadInput, EvidenceError, NotFound, Refused, StorageFailed
from veridict.ledger.export import export
from veridict.ledger.faces import LogFiles
from veridict.ledger.filestores import DirectoryStore, FileStore, open_store
from veridict.ledger.log import Log
from veridict.ledger.published import PublishedLog
from veridict.proofs.checkpoint import Checkpoint, SignedCheckpoint
from veridict.proofs.merkle import leaf_hash
from veridict.proofs.note import Signer
from veridict.proofs.tlog_tiles import TilePath, paths_between

SIGNER = make_signer()


def trust(signed: SignedCheckpoint) -> Checkpoint:
    return signed.verify(SIGNER.verifier, SIGNER.name)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log.open(tmp_path / "log", signer=SIGNER, vault=make_vault(tmp_path / "log")) as opened:
        yield opened


def grow(log: Log, count: int) -> None:
    start = log.size
    log.append([make_entry(f"{number}") for number in range(start, start + count)])
    log.checkpoint()


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    if request.param == "folder":
        return open_store(str(tmp_path / "out"))
    return open_store(f"memory://{tmp_path.name}/log")


def test_a_stranger_reads_and_proves_every_record(log: Log, store: FileStore) -> None:
    grow(log, 300)
    done = export(log, store)
    assert (done.old_size, done.size) == (0, 300)
    read = PublishedLog(store.read, trust)
    assert read.check() == []
    for index in (0, 255, 256, 299):
        assert read.entry(index) == log.body(index)
        assert read.prove(index, leaf_hash(log.body(index))) == log.inclusion_proof(index, 300)
    with pytest.raises(NotFound):
        read.entry(300)


def test_it_is_incremental_and_repeatable(log: Log, store: FileStore) -> None:
    sizes = [0]
    for count in (1, 254, 1, 1, 255, 40):
        grow(log, count)
        sizes.append(log.size)
        done = export(log, store)
        assert (done.old_size, done.size) == tuple(sizes[-2:])
        assert done.files == len(list(paths_between(*sizes[-2:]))) + 1
        assert export(log, store).files == 0
        assert PublishedLog(store.read, trust).check() == []
    assert export(log, store, whole=True).files > 4


def test_a_reader_never_sees_a_checkpoint_before_its_tiles(log: Log, tmp_path: Path) -> None:
    grow(log, 200)
    export(log, DirectoryStore(tmp_path / "out"))
    grow(log, 400)
    torn = TornStore(tmp_path / "out")
    for cut in range(12):
        torn.left = cut
        try:
            export(log, torn)
        except StorageFailed:
            assert PublishedLog(torn.read, trust).check() == []
    assert PublishedLog(torn.read, trust).head.size == 600


class TornStore(DirectoryStore):
    """Fails after `left` writes, as a disk that fills."""

    left = 0

    def write(self, path: str, data: bytes) -> None:
        if self.left == 0:
            raise StorageFailed("torn", remedy="again")
        self.left -= 1
        super().write(path, data)


def test_a_reader_with_an_older_checkpoint_goes_on(log: Log, tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "out")
    grow(log, 100)
    export(log, store)
    old = PublishedLog(store.read, trust)
    grow(log, 200)
    export(log, store)
    assert not (tmp_path / "out/tile/0/000.p").exists()
    assert old.check() == []
    new = PublishedLog(store.read, trust)
    bodies = list(log.bodies())
    assert new.extends(old.head) == slow_consistency(100, bodies)


def test_new_cosignatures_are_published_without_new_records(log: Log, store: FileStore) -> None:
    grow(log, 3)
    export(log, store)
    last = log.last_checkpoint()
    assert last is not None
    store.write("checkpoint", cosigned(last, cosigner(1)).text.encode())
    assert PublishedLog(store.read, policy(1, [cosigner(1)]).verify).head.size == 3
    assert export(log, store).files == 1  # the log's own text again


def test_nothing_is_published_before_the_first_checkpoint(log: Log, store: FileStore) -> None:
    with pytest.raises(Refused):
        export(log, store)
    with pytest.raises(NotFound):
        PublishedLog(store.read, trust)
    assert LogFiles(log).tile(TilePath(0, 0, 1)) is None


def test_another_history_is_never_overwritten(log: Log, tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "out")
    grow(log, 5)
    store.write("checkpoint", head([b"other"] * 3).text.encode())
    with pytest.raises(EvidenceError, match="not its first") as error:
        export(log, store)
    assert error.value.facts["finding"] == "export.forked"
    store.write("checkpoint", head([b"other"] * 6).text.encode())
    with pytest.raises(EvidenceError) as error:
        export(log, store)
    assert error.value.facts["finding"] == "export.rolled-back"
    store.write("checkpoint", head([b"x"], Signer.generate("other")).text.encode())
    with pytest.raises(EvidenceError) as error:
        export(log, store)
    assert error.value.facts["finding"] == "note.unsigned"


def rewritten(place: Path, change: str) -> None:
    data = bytearray(place.read_bytes())
    if change == "flip":
        data[20] ^= 1
    place.write_bytes(bytes(data) if change == "flip" else bytes(data[:-1]))


DEFECTS = {
    ("tile/entries/000", "flip"): {"record.altered"},
    ("tile/entries/001.p/44", "cut"): {"bundle.malformed"},
    ("tile/entries/001.p/44", "gone"): {"bundle.missing"},
    ("tile/0/000", "flip"): {"tile.altered"},
    ("tile/0/001.p/44", "cut"): {"tile.malformed"},
    ("tile/0/001.p/44", "gone"): {"tile.missing"},
    ("tile/1/000.p/1", "flip"): {"tile.altered"},
    ("tile/1/000.p/1", "gone"): {"tile.missing"},
}


@pytest.mark.parametrize(("path", "change"), DEFECTS)
def test_each_defect_of_a_copy_is_named_once(
    log: Log, tmp_path: Path, path: str, change: str
) -> None:
    store = DirectoryStore(tmp_path / "out")
    grow(log, 300)
    export(log, store)
    if change == "gone":
        store.remove(path)
    else:
        rewritten(tmp_path / "out" / path, change)
    findings = PublishedLog(store.read, trust).check()
    assert {finding.code for finding in findings} == DEFECTS[path, change]
    assert len(findings) == 1, json.dumps([f.sentence() for f in findings])


def test_a_head_of_other_records_is_forked(log: Log, tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "out")
    grow(log, 300)
    export(log, store)
    bodies = [b"other", *list(log.bodies())[1:]]
    lied = SignedCheckpoint.sign(Checkpoint(SIGNER.name, 300, slow_root(bodies)), SIGNER)
    store.write("checkpoint", lied.text.encode())
    read = PublishedLog(store.read, trust)
    assert [finding.code for finding in read.check()] == ["log.forked"]
    with pytest.raises(EvidenceError):
        read.entry(5)


def test_split_views_and_rollbacks_are_named_against_what_was_seen(
    log: Log, tmp_path: Path
) -> None:
    store = DirectoryStore(tmp_path / "out")
    grow(log, 5)
    export(log, store)
    read = PublishedLog(store.read, trust)
    for seen, finding in (
        (head([b"other"] * 3), "log.split-view"),
        (head([b"other"] * 5), "log.split-view"),
        (head([b"other"] * 6), "log.rolled-back"),
        (head([b"x"], Signer.generate("other")), "checkpoint.origin"),
    ):
        with pytest.raises(EvidenceError) as error:
            read.extends(seen.checkpoint)
        assert error.value.facts["finding"] == finding


def test_only_what_the_checkpoint_covers_is_served(log: Log) -> None:
    grow(log, 300)
    log.append([make_entry("later")])
    files = LogFiles(log)
    assert files.tile(TilePath(0, 1, 44)) is not None
    assert files.tile(TilePath(0, 1, 7)) is not None  # of an earlier size
    assert files.tile(TilePath(0, 1, 45)) is None
    assert files.tile(TilePath(None, 1, 45)) is None
    assert files.tile(TilePath(2, 0, 1)) is None


def test_stores_that_cannot_be_written_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        open_store("https://example.com/log")
    with pytest.raises(StorageFailed):
        open_store("nosuchscheme://bucket")
    place = tmp_path / "file"
    place.write_text("")
    with pytest.raises(StorageFailed):
        open_store(str(place / "below")).write("checkpoint", b"x")
    assert isinstance(open_store(f"file://{tmp_path}/with%20space"), DirectoryStore)
