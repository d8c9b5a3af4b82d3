"""A credit model's card and papers on a node: true, and each lie by the name it must get."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from lightgbm import LGBMClassifier

import veridict
from tests.support.cli import run
from veridict.apps.settings import Settings
from veridict.apps.wire import Evidence, open_evidence, open_node, papers_of
from veridict.core.errors import BadInput
from veridict.core.nouns import Check, Decision, Request
from veridict.ledger.log import Log
from veridict.models.card import Metric, ModelCard
from veridict.models.image import image
from veridict.models.papers.statement import PAYLOAD_TYPE, Statement
from veridict.models.shelf import Shelf
from veridict.models.thresholds import Choice
from veridict.proofs import dsse
from veridict.proofs.bundle import Bundle, BundleKey
from veridict.proofs.note import Signer
from veridict.services.demo.learn import card_of, compiled_and_compared
from veridict.services.papers import files
from veridict.services.papers.audit import Papers, audit_model
from veridict.services.papers.rows import measured_features, reread
from veridict.services.window import Window
from veridict.solutions.finance.credit import Credit
from veridict.solutions.finance.payments import Payments
from veridict.watch.stream import Table
from veridict.watch.training import Size, train

ROWS = 3000
CREDIT = Credit()


@pytest.fixture(scope="module")
def data() -> Table[Any]:
    """The whole file: an audit finds the rows of the card's period in it."""
    return CREDIT.load()


@pytest.fixture(scope="module")
def home(data: Table[Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node with a small model of the first rows, registered."""
    directory = tmp_path_factory.mktemp("credit")
    cut = data.slice(0, ROWS)
    trained = train(CREDIT, cut, size=Size(trees=12, leaves=7))
    compiled, _ = compiled_and_compared(trained)
    with open_node(Settings(directory), CREDIT) as node:
        node.register(compiled.working, card_of(CREDIT, cut, trained, compiled))
    return directory


@pytest.fixture(scope="module")
def evidence(home: Path) -> Iterator[Evidence]:
    with open_evidence(Settings(home)) as found:
        yield found


@pytest.fixture(scope="module")
def card(evidence: Evidence) -> ModelCard:
    return evidence.latest_card()


@pytest.fixture(scope="module")
def papers(home: Path) -> dict[str, bytes]:
    return papers_of(Settings(home))


def _audit(card: ModelCard, evidence: Evidence, data: Table[Any], **papers: Any) -> list[Check]:
    given = Papers(**papers) if papers else None
    return audit_model(card, CREDIT, data, evidence.network, evidence.shelf, given)


def _codes(checks: list[Check]) -> dict[int, set[str]]:
    return {c.number: {f.code for f in c.findings} for c in checks if not c.passed}


def test_a_true_card_passes_every_check(
    card: ModelCard, evidence: Evidence, data: Table[Any], papers: dict[str, bytes]
) -> None:
    checks = _audit(card, evidence, data, files=papers, key=evidence.log.verifier)
    assert _codes(checks) == {}
    assert [check.number for check in checks] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert checks[2].examined == ROWS * 8 // 10
    assert len(card.metrics) == checks[4].examined + checks[5].examined


def test_the_card_tells_groups_apart(card: ModelCard) -> None:
    told = {(m.group, m.name): m for m in card.metrics}
    for attribute in ("sex", "education", "marriage", "age"):
        assert (attribute, "demographic parity difference") in told
        assert (attribute, "equalized odds difference") in told
    women, men = (told[f"sex: {sex}", "selection rate"] for sex in ("female", "male"))
    assert women.rows + men.rows == told["", "average precision"].rows
    spread = abs(float(women.value) - float(men.value))
    assert float(told["sex", "demographic parity difference"].value) == pytest.approx(spread, 1e-4)


def test_the_card_names_data_and_libraries(card: ModelCard) -> None:
    (source,) = card.sources
    assert source.licences == ("https://creativecommons.org/licenses/by/4.0/",)
    assert {pinned.partition("==")[0] for pinned in card.libraries} >= {"lightgbm", "veridict"}


def _one_metric(card: ModelCard, value: str, name: str, group: str) -> tuple[Metric, ...]:
    assert (name, group) in {(m.name, m.group) for m in card.metrics}
    return tuple(
        replace(m, value=value) if (m.name, m.group) == (name, group) else m for m in card.metrics
    )


def _lies(card: ModelCard) -> dict[str, tuple[ModelCard, dict[int, set[str]]]]:
    """Name → the card as a liar would have it, and the checks that must object."""
    metrics = card.metrics
    better = _one_metric(card, "0.999999", "average precision", "")
    fairer = _one_metric(card, "0", "demographic parity difference", "sex")
    shy = tuple(m for m in metrics if m.name != "equalized odds difference")
    ap = replace(metrics[0], group="sex: other")
    return {
        "a better score": (replace(card, metrics=better), {5: {"metric.false"}}),
        "a fairer score": (replace(card, metrics=fairer), {6: {"metric.false"}}),
        "a gap left out": (replace(card, metrics=shy), {6: {"metric.missing"}}),
        "a group invented": (replace(card, metrics=(*metrics, ap)), {6: {"metric.false"}}),
        "a measure twice": (replace(card, metrics=(*metrics, metrics[0])), {5: {"metric.twice"}}),
        "other data": (replace(card, data="00" * 32), {3: {"data.other"}}),
        "an earlier end": (
            replace(card, trained_to_s=card.trained_to_s - 600),
            {3: {"data.other"}, 5: {"metric.false"}, 6: {"metric.false"}},
        ),
        "an end between rows": (
            replace(card, trained_to_s=card.trained_to_s - 30),
            {4: {"card.false"}},
        ),
        "an earlier start": (replace(card, trained_from_s=0), {4: {"card.false"}}),
        "other features": (
            replace(card, features=("income", *card.features[1:])),
            {4: {"card.false"}},
        ),
        "no source": (replace(card, sources=()), {4: {"card.false"}}),
        "another annex": (replace(card, annex="00" * 32), {2: {"annex.altered"}}),
        "no rows measured": (
            replace(card, measured_from_s=None),
            {5: {"metric.false"}, 6: {"metric.false"}, 7: set()},
        ),
        "a lower bar": (
            replace(card, hold_at=str(int(card.hold_at) + 1)),
            {7: {"thresholds.false"}},
        ),
        "other costs": (replace(card, chosen=Choice(50, 1, 1)), {7: {"thresholds.false"}}),
    }


def test_every_lie_is_found_by_the_check_it_concerns(
    card: ModelCard, evidence: Evidence, data: Table[Any]
) -> None:
    """No lie has the digest that is on chain: the first check finds them all."""
    lies = _lies(card)
    found = {name: _codes(_audit(lie, evidence, data)) for name, (lie, _) in lies.items()}
    assert found == {name: {1: {"model.card"}} | due for name, (_, due) in lies.items()}


def test_a_model_that_is_not_on_chain_is_named(
    card: ModelCard, evidence: Evidence, data: Table[Any]
) -> None:
    codes = _codes(_audit(replace(card, model_id="11" * 32), evidence, data))
    assert codes[1] == {"model.chain"}
    assert codes[2] >= {"model.missing"}
    assert codes[5] == codes[6] == {"metric.false"}


def test_features_are_extracted_as_in_training(card: ModelCard, data: Table[Any]) -> None:
    rows = reread(card, data)
    again = measured_features(CREDIT, rows)
    whole = CREDIT.extractor().batch(rows.past)
    assert (image(again) == image(whole[rows.measured :])).all()


def test_the_same_registration_gives_the_same_papers(home: Path, papers: dict[str, bytes]) -> None:
    assert papers_of(Settings(home)) == papers


def test_a_reader_of_model_signing_finds_the_files(papers: dict[str, bytes]) -> None:
    envelope = json.loads(papers[files.STATEMENT])
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    statement = Statement.decode(dsse.Envelope.decode(papers[files.STATEMENT]).payload)
    assert {f.name: f.sha256 for f in statement.resources} == {
        name: sha256(data).hexdigest()
        for name, data in papers.items()
        if name not in statement.ignored
    }


def test_papers_that_were_altered_are_named(
    papers: dict[str, bytes], card: ModelCard, evidence: Evidence
) -> None:
    key = evidence.log.verifier

    def codes(changed: dict[str, bytes]) -> set[str]:
        return {f.code for f in files.check_papers(changed, key, card)[1]}

    assert codes(papers) == set()
    assert codes({**papers, files.MODEL: b"other"}) == {"papers.altered"}
    assert codes({**papers, "notes.txt": b""}) == {"papers.surplus"}
    assert codes({n: d for n, d in papers.items() if n != files.BOM}) == {"papers.missing"}
    assert codes({}) == {"papers.missing"}
    assert codes({**papers, files.STATEMENT: b"{}"}) == {"dsse.malformed"}
    stranger = Signer.generate("stranger/log")
    resigned = dsse.Envelope.decode(papers[files.STATEMENT]).payload
    forged = dsse.sign(stranger, PAYLOAD_TYPE, resigned).encode()
    assert codes({**papers, files.STATEMENT: forged}) == {"dsse.signature"}


def test_a_bundle_that_was_exchanged_is_named(papers: dict[str, bytes], evidence: Evidence) -> None:
    key = evidence.log.verifier

    def found(**changed: bytes | None) -> set[tuple[str, str]]:
        given = {n: d for n, d in {**papers, **changed}.items() if d is not None}
        return {(f.code, f.where) for f in files.check_papers(given, key)[1]}

    name = files.SIGNATURE
    payload = dsse.Envelope.decode(papers[files.STATEMENT]).payload
    stranger = Bundle.sign(BundleKey.generate(), PAYLOAD_TYPE, payload).encode()
    assert found(**{name: stranger}) == {("bundle.signature", name)}
    assert found(**{name: b"{}"}) == {("bundle.malformed", name)}
    assert found(**{name: None}) == {("papers.missing", name)}
    assert found(**{files.PUBLIC_KEY: None}) == {("papers.missing", files.PUBLIC_KEY)}


def test_papers_without_a_bundle_are_whole(home: Path) -> None:
    """As audit packs hold them, and as they were written before there were any."""
    signer = Signer.generate("own/log")
    with Log.open_readonly(home / "log") as log:
        subject = files.Subject.of(files.registration(log), Shelf(home / "models"))
    written = files.write_papers(subject, signer)
    assert not {files.SIGNATURE, files.PUBLIC_KEY} & written.keys()
    assert files.check_papers(written, signer.verifier) == (len(written), [])
    key = BundleKey.generate()
    other = files.write_papers(subject, signer, key)
    mixed = {**other, files.SIGNATURE: Bundle.sign(key, PAYLOAD_TYPE, b"{}\n").encode()}
    (finding,) = files.check_papers(mixed, signer.verifier)[1]
    assert (finding.code, finding.where) == ("papers.other", files.SIGNATURE)


def test_papers_of_another_card_are_named(papers: dict[str, bytes], card: ModelCard) -> None:
    """Rightly signed, of nothing that was registered."""
    signer = Signer.generate("own/log")
    other = replace(card, title="Another")
    envelopes = {files.STATEMENT, files.SIGNATURE, files.PUBLIC_KEY}
    mixed = {n: d for n, d in papers.items() if n not in envelopes} | {files.CARD: other.encode()}
    statement = Statement.over("mixed", mixed, files.IGNORED)
    mixed[files.STATEMENT] = dsse.sign(signer, PAYLOAD_TYPE, statement.encode()).encode()
    examined, findings = files.check_papers(mixed, signer.verifier, card)
    assert examined == len(mixed)
    assert {(f.code, f.where) for f in findings} == {
        ("papers.other", files.CARD),
        ("papers.other", files.BOM),
    }


def test_the_commands(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], data: Table[Any]
) -> None:
    own, out = tmp_path / "home", tmp_path / "papers"
    shutil.copytree(home, own)
    written = run(capsys, "model", "papers", "--home", own, "--out", out, "--json")
    assert set(written.json["files"]) == {path.name for path in out.iterdir()}
    with Log.open_readonly(own / "log") as log:
        key = log.verifier.vkey
    assert run(capsys, "model", "check", out, "--key", key).status == 0
    audited = run(capsys, "audit", "model", "--home", own, "--papers", out, "--json")
    assert audited.status == 0
    assert [check["number"] for check in audited.json["checks"]] == [1, 2, 3, 4, 5, 6, 7, 8]
    (out / files.CARD).write_bytes(b"{}")
    refused = run(capsys, "model", "check", out, "--key", key)
    assert refused.status == 4
    assert "papers.altered at card.json" in refused.out
    (out / "link").symlink_to(out / files.CARD)
    assert run(capsys, "model", "check", out, "--key", key).status == 2
    assert run(capsys, "model", "papers", "--home", own, "--out", out, "--model", "x").status == 2


def test_a_score_is_explained_to_the_last_bit(
    home: Path,
    card: ModelCard,
    data: Table[Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = tmp_path / "home"
    shutil.copytree(home, own)
    features = measured_features(CREDIT, reread(card, data))[:40]
    requests = [Request(f"c{n}", "one", 1_700_000_000, b"{}") for n in range(len(features))]
    with open_node(Settings(own), CREDIT) as node:
        made = node.predict(features, requests)
        case = next(p for p in reversed(made) if p.record.decision is not Decision.ALLOW)
        calm = next(p for p in made if p.record.decision is Decision.ALLOW)
        window, root = Window(node), node.log.root()
        reasons = window.row(case.index).reasons
        assert [reason.usual for reason in window.row(calm.index).reasons] == [None] * 3
        assert node.log.root() == root  # comparing writes nothing
    assert all(reason.usual and "for this applicant (" in reason.usual.text for reason in reasons)
    explained = run(capsys, "explain", str(case.index), "--home", own, "--json").json
    parts = [Fraction(part["worth"]) for part in explained["features"]]
    assert Fraction(explained["base"]) + sum(parts) == case.record.score
    assert explained["background"] == case.index - made[0].index
    assert {part["feature"] for part in explained["features"]} == set(CREDIT.feature_names)
    shown = run(capsys, "explain", str(case.index), "--home", own)
    assert explained["features"][0]["feature"] in shown.out
    assert run(capsys, "explain", str(made[0].index), "--home", own).status == 2  # nothing before
    assert run(capsys, "explain", "0", "--home", own).status == 2  # the model's own record


def test_a_description_is_read_or_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    described = tmp_path / "data.json"
    described.write_bytes(CREDIT.croissant)
    assert run(capsys, "model", "data", described, "--json").json["name"] == (
        "Default of Credit Card Clients"
    )
    described.write_bytes(b"{}")
    refused = run(capsys, "model", "data", described)
    assert refused.status == 2
    assert "@type is not Dataset" in refused.err


def test_a_card_made_in_python_tells_groups_apart(data: Table[Any]) -> None:
    rows = data.slice(0, 600)
    features, labels = CREDIT.extractor().batch(rows), rows.labels
    estimator = LGBMClassifier(n_estimators=3, num_leaves=4, verbose=-1, n_jobs=1)
    compiled = veridict.compile(estimator.fit(features[:400], labels[:400]))
    sexes = rows.integers("sex").tolist()[400:]

    def make(**groups: Sequence[object]) -> ModelCard:
        return veridict.card(
            compiled, title="t", review_at=0.2, hold_at=0.9, X=features[400:], y=labels[400:],
            groups=groups, libraries=["numpy"],
        )  # fmt: skip

    made = make(sex=sexes)
    assert ModelCard.decode(made.encode()) == made
    assert {m.group for m in made.metrics} == {"", "sex", "sex: 1", "sex: 2"}
    assert "equalized odds difference" in {m.name for m in made.metrics}
    assert made.libraries[0].startswith("numpy==")
    assert {m.group for m in make().metrics} == {""}
    for wrong in ({"sex": sexes[1:]}, {"sex: ": sexes}):
        with pytest.raises(BadInput):
            make(**wrong)


def test_an_own_file_has_no_published_source(tmp_path: Path) -> None:
    assert Payments.file(tmp_path / "own.csv").croissant is None
