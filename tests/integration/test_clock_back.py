"""The clock jumps back: nothing is dated before what it follows, and it is said why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.kept import Kept
from tests.support.models import random_linear
from tests.support.small_pack import card_of
from veridict.apps.settings import Settings
from veridict.apps.wire import open_node
from veridict.core.clock import SteadyClock, wall_clock_ms
from veridict.core.codec import canonical_json
from veridict.core.errors import ClockBehind
from veridict.core.nouns import Request
from veridict.ledger.log import Log
from veridict.ledger.verify import check_log
from veridict.models.annex import Annex
from veridict.models.canonical import CanonicalModel
from veridict.models.working import WorkingModel
from veridict.services.numbering import last_time_ms
from veridict.services.predict import Issuer, predict
from veridict.services.records import OutcomesRecord

HOUR_MS = 3_600_000


def small_model() -> WorkingModel:
    model = CanonicalModel.from_parts(random_linear(3))
    return WorkingModel(model, Annex(model.id, ()))


def request(name: str) -> list[Request]:
    return [Request(name, name, 0, canonical_json({"id": name}))]


def test_predictions_stop_while_the_clock_is_wrong_and_go_on_without_a_gap(kept: Kept) -> None:
    model = small_model()
    row = np.zeros((1, model.model.n_features))
    now = HOUR_MS
    with kept.open(clock=(clock := SteadyClock(lambda: now))) as log:
        issuer = Issuer(model, card_of(model.model, model.annex).policy, log, clock, 0)
        made = predict(issuer, request("a"), row)
        log.checkpoint()
        now -= 30_000  # a second or a minute: time stands still
        made += predict(issuer, request("b"), row)
        now -= HOUR_MS // 2
        for _ in range(2):
            with pytest.raises(ClockBehind) as caught:
                predict(issuer, request("c"), row)
            assert caught.value.code == "clock.behind"
            assert "set the clock" in caught.value.remedy
            with pytest.raises(ClockBehind):
                log.checkpoint()
            assert log.size == 2
        now = HOUR_MS + 1
        made += predict(issuer, request("c"), row)
        assert log.checkpoint().size == 3
        assert [made.record.sequence for made in made] == [0, 1, 2]
        assert [made.record.time_ms for made in made] == [HOUR_MS, HOUR_MS, HOUR_MS + 1]
        assert check_log(log) == []


def test_a_node_does_not_start_behind_its_own_log(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    model = small_model()
    with open_node(settings) as node:
        node.register(model, card_of(model.model, model.annex))
        ahead = wall_clock_ms() + 20_000
        node.append(OutcomesRecord("a day", 0, [], [], ahead))  # by a clock that was 20 s fast
    with open_node(settings) as node:
        [made] = node.predict(np.zeros((1, model.model.n_features)))
        assert made.record.time_ms == ahead
        node.append(OutcomesRecord("a day", 0, [], [], ahead + HOUR_MS))
        size, root = node.log.size, node.log.root()
    with pytest.raises(ClockBehind, match="behind the log") as caught:
        open_node(settings)
    assert caught.value.exit_status == 3
    with Log.open_readonly(tmp_path / "log") as log:
        assert (log.size, log.root()) == (size, root)
        assert last_time_ms(log) == ahead + HOUR_MS
