"""The laws of the schedule, for any fees: patient, fair, and never past the deadline."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from veridict.services.anchoring.schedule import Moment, Rule, decide, in_stream, patient

fees = st.integers(1, 10**12)
histories = st.lists(fees, min_size=1, max_size=60).map(tuple)
deadlines = st.floats(1, 10**6)
parts = st.floats(0, 1, exclude_max=True)
rules = st.sampled_from([patient, lambda moment: 0, lambda moment: 10**15])


@st.composite
def moments(draw: st.DrawFn) -> Moment:
    deadline = draw(deadlines)
    waited = draw(parts) * deadline
    return Moment(waited, deadline, draw(fees), draw(histories), draw(parts) * waited)


@given(moments(), rules, st.floats(0, 10))
def test_the_deadline_holds_whatever_the_rule_says(moment: Moment, rule: Rule, late: float) -> None:
    assert 0 < moment.last_call_s < moment.deadline_s
    at_last = replace(moment, waited_s=moment.last_call_s * (1 + late))
    assert decide(at_last, rule).post


@given(moments())
def test_it_posts_below_the_accepted_fee_and_not_above(moment: Moment) -> None:
    verdict = decide(moment, patient)
    if verdict.accepted_wei is None:
        assert moment.waited_s >= moment.last_call_s
        return
    assert verdict.post == (moment.fee_wei <= verdict.accepted_wei)
    assert decide(replace(moment, fee_wei=verdict.accepted_wei + 1), patient).post is False


@given(moments(), parts)
def test_what_it_accepts_rises_with_the_wait(moment: Moment, part: float) -> None:
    earlier = replace(moment, waited_s=moment.waited_s * part)
    for accepts in (patient, in_stream):
        assert accepts(earlier) <= accepts(moment) <= max(moment.recent_wei)


@given(moments())
def test_in_a_stream_a_second_covered_costs_no_more_than_the_usual_fee_at_the_deadline(
    moment: Moment,
) -> None:
    busy = replace(moment, quiet_s=0.0)
    verdict = decide(busy, patient)
    if verdict.post and verdict.accepted_wei is not None:
        usual = sorted(busy.recent_wei)[len(busy.recent_wei) // 2]
        assert busy.fee_wei * busy.last_call_s <= usual * busy.waited_s * (1 + 1e-9)


@given(moments())
def test_a_batch_takes_what_a_stream_would_not(moment: Moment) -> None:
    stream, batch = replace(moment, quiet_s=0.0), replace(moment, quiet_s=moment.deadline_s)
    assert in_stream(stream) <= patient(batch)


@given(moments(), rules)
def test_a_rule_for_batches_is_not_asked_about_streams(moment: Moment, rule: Rule) -> None:
    stream, batch = replace(moment, quiet_s=0.0), replace(moment, quiet_s=moment.deadline_s)
    if moment.waited_s < moment.last_call_s:
        assert decide(stream, rule).accepted_wei == in_stream(stream)
        assert decide(batch, rule).accepted_wei == rule(batch)


@given(moments(), st.integers(2, 10**6))
def test_only_the_proportions_of_fees_count(moment: Moment, times: int) -> None:
    scaled = replace(
        moment,
        fee_wei=moment.fee_wei * times,
        recent_wei=tuple(fee * times for fee in moment.recent_wei),
    )
    for accepts in (patient, in_stream):
        assert abs(accepts(scaled) - times * accepts(moment)) <= times


@given(moments())
def test_without_fees_it_waits_for_the_deadline(moment: Moment) -> None:
    blind = replace(moment, recent_wei=())
    assert decide(blind, patient).post == (moment.waited_s >= moment.last_call_s)


@given(st.lists(fees, min_size=200, max_size=400), st.integers(10, 60))
def test_a_whole_day_of_fees(series: list[int], deadline: int) -> None:
    """Over any series, no record waits longer than the deadline, and every post was allowed."""
    waited_since, posts = 0, []
    for at in range(40, len(series)):
        if at < 40 + waited_since:
            continue
        moment = Moment(at - 40 - waited_since, deadline, series[at], tuple(series[at - 40 : at]))
        if decide(moment, patient).post:
            posts.append(at - 40)
            waited_since = at - 40 + 1
        assert moment.waited_s <= deadline
    assert posts
