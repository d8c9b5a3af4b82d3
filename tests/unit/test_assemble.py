"""The assembler: the bytes it gives, and the mistakes it refuses."""

from __future__ import annotations

import pytest

from tools.assemble import AssemblyError, assemble


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("stop", "00"),
        ("0 1 255 256 0x010000", "5f600160ff61010062010000"),
        ("const N 7\nN N add", "6007600701"),
        ("1 >a 2 >b a b", "600160028181"),
        ("1 >a 2 3 =a", "60016002600391 50"),
        ("1 dup1 swap1", "60018090"),
        ("; nothing\n 1 ; one\n pop", "600150"),
        ("repeat 3 1 pop end", "600150" * 3),
        ("macro two 1 1 add end %two %two add", "6001600101" * 2 + "01"),
        ("macro a 1 end macro b %a repeat 2 %a pop end end %b", "6001" + "600150" * 2),
        ("@there jump\nthere:\nstop", "610004565b00"),
        ("1 >a\nhere: a\na @here jumpi stop", "60015b806100025700"),
        ("1 0 @rest jump\nrest: ... x\nx 0 mstore stop", "60015f6100075 65b805f5200"),
        ("@one >to to jump\none: to\nstop", "61000580565b00"),
    ],
)
def test_the_code(source: str, code: str) -> None:
    assert assemble(source).hex() == code.replace(" ", "")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("add", "line 1, add: takes 2 of a stack of 0"),
        ("1\npop pop", "line 2, pop: takes 1 of a stack of 0"),
        ("nonsense", "neither an opcode nor on the stack"),
        ("1 >add", "add is taken"),
        ("const N 1\n1 >N", "N is taken"),
        ("1 >a 2 >a", "a is on the stack already"),
        ("1 >a =a", "is on top already"),
        ("stop 1", "nothing gets here"),
        ("@nowhere pop", "there is no label nowhere"),
        ("@nowhere jump", "nowhere wants [no such label], not []"),
        ("a:\nstop\na:\nstop", "stands twice"),
        ("1 >a @on jump\non: b\nstop", "line 1: on wants [b], not [a]"),
        ("1 >a\non: a b\nstop", "line 2: on wants [a b], not [a]"),
        ("1 2 >a 3 >b @on jump\non: ... b a\nstop", "on wants [... b a], not [_ a b]"),
        ("1 >a\non:\nstop", "on wants [], not [a]"),
        ("@one >to 1 >x to jump\none: to\nstop", "one wants [to], not [to x]"),
        ("%absent", "line 1: there is no macro absent"),
        ("1\nrepeat 2 pop", "line 2: repeat has no end"),
        ("1 >deep " + "2 " * 16 + "deep", "out of reach"),
        ("dup2", "out of reach"),
        ("1 swap1", "out of reach"),
    ],
)
def test_mistakes_are_refused_with_their_line(source: str, reason: str) -> None:
    with pytest.raises(AssemblyError) as refused:
        assemble(source)
    assert reason in str(refused.value)
