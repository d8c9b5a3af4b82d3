"""One vault for several hosts: what one erases is gone for all, from older copies as well."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from tests.support.ledger import make_entry, make_signer
from tests.support.postgres import PASSWORD, Server
from veridict.core.errors import BadInput, NotFound, StorageFailed
from veridict.core.nouns import Payload
from veridict.core.ports import Personal
from veridict.ledger.log import Entry, Log
from veridict.privacy.shared import SharedVault
from veridict.privacy.shared.hostkey import mac, public_of, seal_to
from veridict.proofs.merkle import leaf_hash, verify_inclusion
from veridict.services.erasing import Eraser
from veridict.services.records import ErasureRecord, encode

NOW_MS = 1_700_000_000_000
TABLES = ("state", "page", "slot", "host")


@dataclass(slots=True)
class Hosts:
    """Directories on several machines, as it were, and the database they share."""

    server: Server
    url: str
    root: Path
    opened: list[SharedVault] = field(default_factory=list)

    def open(self, host: str, *, url: str = "", writable: bool = True) -> SharedVault:
        vault = SharedVault(url or self.url, self.root / host, writable=writable)
        self.opened.append(vault)
        return vault

    def copy(self, host: str, to: str) -> None:
        shutil.copytree(self.root / host, self.root / to)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url) as db:
            return db.execute(sql.encode()).fetchall()

    def backup(self) -> str:
        """The URL of a copy of the database as it is now."""
        url = self.server.new_place()
        name = url.rpartition("%3D")[2]
        with psycopg.connect(self.url) as db:
            for table in TABLES:
                db.execute(f"CREATE TABLE {name}.{table} AS TABLE {table}".encode())
            db.execute(f"CREATE INDEX slot_subject ON {name}.slot (subject)".encode())
        return url


@pytest.fixture
def hosts(postgres: Server, tmp_path: Path) -> Iterator[Hosts]:
    hosts = Hosts(postgres, postgres.new_place(), tmp_path)
    yield hosts
    for vault in hosts.opened:
        vault.close()


def items(*subjects: str) -> list[Personal]:
    return [Personal(who, f"request of {who}", f"all about {who}".encode()) for who in subjects]


def test_what_one_host_seals_another_opens(hosts: Hosts) -> None:
    a = hosts.open("a")
    (ann,) = a.seal(items("ann"))
    hosts.copy("a", "b")
    b = hosts.open("b")
    assert b.open([ann]) == [b"all about ann"]
    assert b.seal(items("ann"))[0].slot == ann.slot
    (bob,) = b.seal(items("bob"))
    assert a.open([bob]) == [b"all about bob"]
    assert a.tag("x") == b.tag("x")
    keys = [(hosts.root / host / "host.key").read_bytes() for host in "ab"]
    assert keys[0] != keys[1]
    assert len(hosts.rows("SELECT * FROM host")) == 2
    hosts.open("b")  # again, and it is the same host
    assert len(hosts.rows("SELECT * FROM host")) == 2


def test_what_one_host_erases_no_host_opens(hosts: Hosts) -> None:
    a = hosts.open("a")
    ann, bob = a.seal(items("ann", "bob"))
    hosts.copy("a", "b")
    b = hosts.open("b")
    assert b.open([ann, bob]) == [b"all about ann", b"all about bob"]  # and it remembers the keys
    a.retire("ann")
    assert b.seal(items("ann"))[0].slot != ann.slot
    a.destroy(ann.slot)
    assert len(a.behind()) == 1
    assert b.open([ann, bob]) == [None, b"all about bob"]
    assert a.behind() == b.behind() == []


def test_a_backup_opens_until_every_host_has_turned_and_never_after(hosts: Hosts) -> None:
    a = hosts.open("a")
    ann, bob = a.seal(items("ann", "bob"))
    hosts.copy("a", "b")
    b = hosts.open("b")
    older = hosts.backup()
    a.destroy(ann.slot)
    with pytest.raises(StorageFailed):
        hosts.open("a", url=older, writable=False)
    # the host that was away holds the key to the older copy: that is what `behind` is for
    assert hosts.open("b", url=older, writable=False).open([ann]) == [b"all about ann"]
    assert len(a.behind()) == 1
    assert b.open([bob]) == [b"all about bob"]  # it comes back, and turns
    assert a.behind() == []
    for host in "ab":
        with pytest.raises(StorageFailed):
            hosts.open(host, url=older, writable=False)
    assert hosts.open("a").open([ann, bob]) == [None, b"all about bob"]


def test_a_host_that_was_away_turns_when_it_opens(hosts: Hosts) -> None:
    a = hosts.open("a")
    ann, bob = a.seal(items("ann", "bob"))
    hosts.copy("a", "b")
    hosts.open("b").close()
    for one in (ann, bob):
        a.destroy(one.slot)
    assert len(a.behind()) == 1
    assert hosts.open("b").open([ann, bob]) == [None, None]
    assert a.behind() == []


def test_two_processes_of_one_host_are_one_host(hosts: Hosts) -> None:
    a, beside = hosts.open("a"), hosts.open("a")
    ann, bob, cy = a.seal(items("ann", "bob", "cy"))
    beside.destroy(ann.slot)
    a.destroy(bob.slot)
    for vault in (a, beside, hosts.open("a")):
        assert vault.open([ann, bob, cy]) == [None, None, b"all about cy"]
    assert len(hosts.rows("SELECT * FROM host")) == 1
    assert a.behind() == []


@pytest.mark.parametrize("overwritten", [False, True])
def test_a_kill_while_a_host_turns_is_made_good(hosts: Hosts, overwritten: bool) -> None:
    a = hosts.open("a")
    ann, bob = a.seal(items("ann", "bob"))
    current, following = hosts.root / "a" / "host.key", hosts.root / "a" / "host.next"
    old = current.read_bytes()
    a.destroy(ann.slot)
    a.close()
    current.rename(following)  # as it was before the old key was overwritten
    current.write_bytes(bytes(len(old)) if overwritten else old)
    current.chmod(0o600)
    again = hosts.open("a")
    assert again.open([ann, bob]) == [None, b"all about bob"]
    assert current.read_bytes() != old
    assert not following.exists()


def test_a_host_without_a_key_is_told_to_fetch_one(hosts: Hosts) -> None:
    a = hosts.open("a")
    (ann,) = a.seal(items("ann"))
    with pytest.raises(StorageFailed, match="no key to the vault"):
        hosts.open("stranger")
    hosts.copy("a", "late")  # and before it opens, the host it was copied from turns
    a.destroy(ann.slot)
    with pytest.raises(StorageFailed, match="no key to the vault"):
        hosts.open("late")
    assert len(hosts.rows("SELECT * FROM host")) == 1


def test_whoever_writes_the_database_cannot_become_a_host(hosts: Hosts) -> None:
    a = hosts.open("a")
    ann, bob = a.seal(items("ann", "bob"))
    mine, guess = b"m" * 32, b"g" * 32
    public = public_of(mine)
    forged = (public, seal_to(public, guess, b"x"), mac(guess, b"mallory/0", public))
    with psycopg.connect(hosts.url) as db:
        db.execute("INSERT INTO host VALUES ('mallory', 0, 0, %s, %s, %s)", forged)
    with pytest.raises(StorageFailed, match="altered"):
        a.destroy(ann.slot)
    assert a.open([ann, bob]) == [b"all about ann", b"all about bob"]
    with psycopg.connect(hosts.url) as db:
        db.execute("DELETE FROM host WHERE id = 'mallory'")
        # nor swap a host's key for their own
        db.execute("UPDATE host SET public = %s", (public,))
    with pytest.raises(StorageFailed, match="altered"):
        a.destroy(ann.slot)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE slot SET box = decode(repeat('00', 60), 'hex')",
        "UPDATE page SET box = decode(repeat('00', 60), 'hex')",
        "UPDATE slot SET box = ''",
        "UPDATE state SET names = '\\x00'",
        "DELETE FROM page",
        "UPDATE host SET box = decode(repeat('00', 92), 'hex')",
        "UPDATE host SET box = '\\x05'",
        "DELETE FROM host",
        "UPDATE state SET version = 9",
        "DELETE FROM state",
    ],
)
def test_a_damaged_vault_is_told(hosts: Hosts, damage: str) -> None:
    a = hosts.open("a")
    sealed = a.seal(items("ann"))
    a.close()
    with psycopg.connect(hosts.url) as db:
        db.execute(damage.encode())
    with pytest.raises(StorageFailed):
        hosts.open("a").open(sealed)


def test_an_empty_database_does_not_begin_a_second_vault(hosts: Hosts) -> None:
    a = hosts.open("a")
    a.destroy(a.seal(items("ann"))[0].slot)
    a.close()
    with pytest.raises(StorageFailed, match="this host has the key to one"):
        hosts.open("a", url=hosts.server.new_place())
    with pytest.raises(StorageFailed, match="holds no vault"):
        hosts.open("new", url=hosts.server.new_place(), writable=False)


def test_a_lost_connection_is_told_once_and_opened_again(hosts: Hosts) -> None:
    a = hosts.open("a")
    sealed = a.seal(items("ann"))
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    hosts.rows(f"{ended} AND application_name = 'veridict vault'")
    with pytest.raises(StorageFailed):
        a.open(sealed)
    assert a.open(sealed) == [b"all about ann"]


def test_no_password_is_ever_shown(hosts: Hosts, postgres: Server) -> None:
    for url in (postgres.url(password="wrong" + PASSWORD), "postgresql://x:" + PASSWORD + "@[bad"):
        with pytest.raises((StorageFailed, BadInput)) as told:
            hosts.open("a", url=url)
        assert PASSWORD not in f"{told.value} {told.value.as_dict()}"


def test_a_log_of_two_hosts_is_erased_from_either(hosts: Hosts) -> None:
    """The laws of erasure, over one database: records, proofs, the other host, and no trace."""
    store = hosts.server.new_place()

    def log_of(host: str) -> tuple[Log, SharedVault]:
        vault = SharedVault(hosts.url, hosts.root / host / "vault")
        return Log.open(hosts.root / host, signer=make_signer(), store=store, vault=vault), vault

    a, first = log_of("a")
    a.append([make_entry(name) for name in ("p-1", "p-2", "p-3")])
    (hosts.root / "b").mkdir()
    shutil.copytree(hosts.root / "a" / "vault", hosts.root / "b" / "vault")
    for file in ("log.store", "log.key"):
        if (hosts.root / "a" / file).exists():
            shutil.copy(hosts.root / "a" / file, hosts.root / "b" / file)
    b, vault = log_of("b")
    with a, b:
        b.append([make_entry("p-4")])
        kept = a.payload(3)
        assert kept is not None
        assert kept.request.id == "p-4"
        assert a.find_requests(["p-2", "p-4"]) == b.find_requests(["p-2", "p-4"]) == [1, 3]
        eraser = eraser_of(b, vault)
        (erased,) = eraser.erase("subject of p-2", "request", "officer")
        assert erased.count == 1
        for log in (a, b):
            assert log.payload(1) is None
            assert log.find_request("p-2") is None
            proof = log.inclusion_proof(1, log.size)
            verify_inclusion(1, log.size, leaf_hash(log.body(1)), proof, log.root())
        first.follow()  # as a node does every second
        assert vault.behind() == []
        with pytest.raises(NotFound):
            eraser.erase("subject of p-2", "request", "officer")
    dumped = repr([hosts.rows(f"SELECT * FROM {table}") for table in TABLES]).encode()
    for directory in (hosts.root / "a", hosts.root / "b"):
        dumped += b"".join(f.read_bytes() for f in directory.rglob("*") if f.is_file())
    for trace in (b"subject of p-2", b"all about"):
        assert trace not in dumped


def eraser_of(log: Log, vault: SharedVault) -> Eraser:
    def append(record: ErasureRecord, payload: Payload) -> int:
        return log.append([Entry(encode(record), payload)]).first_index

    return Eraser(log, vault, lambda: NOW_MS, append, ())
