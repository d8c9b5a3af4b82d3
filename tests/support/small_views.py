"""The views that `small_node` shows: plausible values, made of plain arithmetic."""

from __future__ import annotations

import math
from hashlib import sha256

from veridict.core.nouns import SCORE_ONE, Decision, Stage
from veridict.services import views

START_MS = 1_760_000_000_000
MODEL_ID = sha256(b"small model").hexdigest()
OPERATOR = "0x" + sha256(b"operator").hexdigest()[:40]
BINS = 20


def default_reasons(score: int) -> list[views.ReasonView]:
    part = score / SCORE_ONE
    return [
        views.ReasonView("amount_to_mean", "11.4", part * 0.5, "11 times the usual amount"),
        views.ReasonView("payee_age_days", "0", part * 0.3, "first payment to this payee"),
        views.ReasonView("night", "1", part * -0.1, "between midnight and five"),
    ]


def row(
    index: int,
    request_id: str,
    subject: str,
    score: int,
    decision: Decision,
    reasons: list[views.ReasonView] | None,
) -> views.PredictionRow:
    return views.PredictionRow(
        index=index,
        sequence=index,
        time_ms=START_MS + 1000 * index,
        request_id=request_id,
        subject=subject,
        summary=f"{120 + 37 * index % 9000:,.2f} to shop {index % 17}",
        score=score,
        probability=1 / (1 + math.exp(-score / SCORE_ONE)),
        decision=decision.word,
        reasons=default_reasons(score) if reasons is None else reasons,
        state="durable",
    )


def status(
    size: int, anchored: int, counts: dict[str, int], waiting: int, demo: str
) -> views.StatusView:
    return views.StatusView(
        version="0.1.0",
        scenario="payments",
        title="Payments of a small bank",
        words={
            "subject": "payment",
            "subjects": "payments",
            "event": "fraud",
            "allow": "paid",
            "review": "looked at",
            "hold": "held back",
        },
        notices=["The data are synthetic."],
        model_id=MODEL_ID if size else None,
        predictions=size,
        counts=counts,
        open_cases=waiting,
        rate_per_s=4821.5 if size else 0.0,
        started_ms=START_MS,
        demo=demo,
        chain=_chain(),
        log=_log(size, anchored),
    )


def _chain() -> views.ChainView:
    names = ("registry", "anchor", "stakes", "judge", "guard", "token")
    return views.ChainView(
        chain_id=8453_0001,
        name="embedded",
        block_number=62,
        rpc_url="http://127.0.0.1:8545",
        operator=OPERATOR,
        balance_wei="9998123456789012345678",
        bond_wei="1500000000000000000",
        contracts={name: "0x" + sha256(name.encode()).hexdigest()[:40] for name in names},
    )


def _log(size: int, anchored: int) -> views.LogView:
    return views.LogView(
        origin="small.example/log",
        size=size,
        checkpointed=(size + anchored) // 2,
        anchored=anchored,
        final=anchored // 2,
        root=sha256(b"%d" % size).hexdigest(),
        verifier_key="small.example/log+c74f20a3+AcnE5ZdUG4C1hx4ZpWm0n0bYQ2wYpJt9eA6ZfZkQkW1b",
        anchors=[_anchor(n, anchored * n // 4) for n in range(4, 0, -1)] if anchored else [],
        places=_places(anchored),
    )


def _places(anchored: int) -> list[views.PlaceView]:
    """The home chain, one that waits for a lower fee, and one that is away."""
    contract = "0x" + sha256(b"anchor").hexdigest()[:40]
    gwei = 10**9
    return [
        views.PlaceView(
            "home", "anchored", 8453_0001, contract, OPERATOR, anchored, anchored // 2, 3,
            deadline_s=60,
        ),
        views.PlaceView(
            "sepolia", "waiting for a lower fee", 11155111, contract, OPERATOR, anchored // 2, 0,
            120, 900.0, 3600, str(21 * gwei), str(7 * gwei), "", 12, 840_000,
            str(14 * 10**15), str(20 * 10**15), str(6 * 10**15),
        ),
        views.PlaceView(
            "consortium", "not reached yet", problem="chain.unavailable",
            message="the chain's RPC at http://127.0.0.1:9 cannot be reached",
        ),
    ]  # fmt: skip


def _anchor(number: int, size: int) -> views.AnchorView:
    return views.AnchorView(
        size=size,
        root=sha256(b"%d" % size).hexdigest(),
        time_s=START_MS // 1000 + 90 * number,
        block_number=50 + 3 * number,
        tx_hash="0x" + sha256(b"tx %d" % number).hexdigest(),
        gas_used=71_000 + 311 * number,
    )


def stages(row: views.PredictionRow, ready: bool) -> list[views.StageView]:
    def of(stage: Stage, title: str, done: bool, **facts: str) -> views.StageView:
        told = [views.FactView(label.replace("_", " "), value) for label, value in facts.items()]
        return views.StageView(stage.word, title, done, told)

    digest = sha256(row.request_id.encode()).hexdigest()
    return [
        of(Stage.REQUEST, "What was asked", True, request=row.request_id, subject=row.subject),
        of(Stage.FEATURES, "What the model sees", True, features="30", commitment=digest),
        of(Stage.SCORE, "The model's integer", True, score=str(row.score), model_id=MODEL_ID),
        of(Stage.COMMIT, "Salted commitments", True, request=digest, inputs=digest[::-1]),
        of(Stage.LOG, "A leaf of the log", True, index=str(row.index), leaf_hash=digest),
        of(Stage.ACT, "What followed", row.decision == "allow", decision=row.decision),
        of(Stage.AUDIT, "Anchored on chain", ready, **({"transaction": digest} if ready else {})),
    ]


def model() -> views.ModelView:
    def metrics(group: str, rows: int) -> list[dict[str, object]]:
        named = (("precision", "0.912"), ("recall", "0.846"))
        return [{"name": n, "value": v, "group": group, "rows": rows} for n, v in named]

    card: dict[str, object] = {
        "schema": "veridict/model-card/1",
        "model_id": MODEL_ID,
        "annex": sha256(b"annex").hexdigest(),
        "title": "Payments of a small bank",
        "data": sha256(b"data").hexdigest(),
        "data_title": "small",
        "trained_from_s": START_MS // 1000 - 86_400 * 90,
        "trained_to_s": START_MS // 1000,
        "features": ["amount_to_mean", "payee_age_days", "night"],
        "metrics": metrics("", 12_000) + metrics("amount: large", 2_880),
        "limits": ["Trained on synthetic payments: not for use on real ones."],
        "review_at": str(-SCORE_ONE),
        "hold_at": str(SCORE_ONE),
    }
    return views.ModelView(MODEL_ID, card, 3, 49_120, 2, True, 7)


def plots(rows: list[views.PredictionRow]) -> views.PlotsView:
    def bins(decision: str) -> list[int]:
        counts = [0] * BINS
        for row in rows:
            if row.decision == decision:
                counts[min(BINS - 1, int(row.probability * BINS))] += 1
        return counts

    edges = [n / BINS for n in range(BINS + 1)]
    scores = views.HistogramView(edges, bins("allow"), bins("review"), bins("hold"))
    return views.PlotsView(scores, [_quality(n) for n in range(10)] if rows else [], _rates(rows))


def _quality(day: int) -> views.QualityPoint:
    wave = 0.04 * math.sin(day)
    recall = None if day == 3 else 0.8 - wave
    time_s = START_MS // 1000 + 86_400 * day
    return views.QualityPoint(f"day {day + 1}", time_s, 1200, 14, 13, 0.9 + wave, recall)


def _rates(rows: list[views.PredictionRow]) -> list[views.RatePoint]:
    count = 40 if rows else 0
    return [views.RatePoint(START_MS + 500 * n, 4000 + 900 * math.sin(n / 4)) for n in range(count)]


def checks(examined: int) -> list[views.CheckView]:
    found = views.FindingView("record.altered", "record 7", "leaf 3f0c…", "leaf 99ab…")
    titles = ("Every body hashes to its leaf", "The log only grew", "Scores re-run bit for bit")
    return [
        views.CheckView(n, title, examined, n != 1, [found] if n == 1 else [])
        for n, title in enumerate(titles, 1)
    ]


def found(row: views.PredictionRow) -> views.FoundView:
    leaf = sha256(str(row.index).encode()).hexdigest()
    return views.FoundView(
        row.index, "prediction", leaf, row.time_ms, row.sequence, None, row.decision,
        row.request_id or None, row.subject or None, None if row.request_id else 90_001,
    )  # fmt: skip
