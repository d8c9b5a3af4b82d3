"""A small assembler for the EVM that checks the stack.

    python -m tools.assemble contracts/asm/Scorer.evm

A source is words between blanks; `;` begins a comment. A word is one of

    mload, sstore, dup1 ...   an opcode by its name
    240, 0xffff               a number: the shortest PUSH of it
    NAME                      a constant:  `const NAME 240`
    @label                    the address of a label, as a PUSH2
    >name                     names the value on top of the stack; no code
    name                      a copy of that value: the DUP that reaches it
    =name                     moves the top into that value's place: SWAP, POP
    macro m ... end           what the word `%m` stands for
    repeat 16 ... end         the same words again and again

`label: a b c` alone on a line is a JUMPDEST. It tells what is on the stack there,
the top last; `...` first stands for anything below. The assembler follows the
stack word by word and refuses a source where a jump, or the words above, come to
a label with another stack: a wrong DUP is an error here and not a wrong score
there. A jump to a named value, whose `>name` stood behind one or more `@label`s,
is held to all of these labels.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# name: (code, words taken, words left), https://eips.ethereum.org, evm.codes
OPCODES: dict[str, tuple[int, int, int]] = {
    "stop": (0x00, 0, 0), "add": (0x01, 2, 1), "mul": (0x02, 2, 1), "sub": (0x03, 2, 1),
    "div": (0x04, 2, 1), "sdiv": (0x05, 2, 1), "mod": (0x06, 2, 1), "signextend": (0x0B, 2, 1),
    "lt": (0x10, 2, 1), "gt": (0x11, 2, 1), "slt": (0x12, 2, 1), "sgt": (0x13, 2, 1),
    "eq": (0x14, 2, 1), "iszero": (0x15, 1, 1), "and": (0x16, 2, 1), "or": (0x17, 2, 1),
    "xor": (0x18, 2, 1), "not": (0x19, 1, 1), "byte": (0x1A, 2, 1), "shl": (0x1B, 2, 1),
    "shr": (0x1C, 2, 1), "sar": (0x1D, 2, 1), "calldataload": (0x35, 1, 1),
    "calldatasize": (0x36, 0, 1), "extcodesize": (0x3B, 1, 1), "extcodecopy": (0x3C, 4, 0),
    "pop": (0x50, 1, 0), "mload": (0x51, 1, 1), "mstore": (0x52, 2, 0), "mstore8": (0x53, 2, 0),
    "jump": (0x56, 1, 0), "jumpi": (0x57, 2, 0), "mcopy": (0x5E, 3, 0), "return": (0xF3, 2, 0),
    "revert": (0xFD, 2, 0), "invalid": (0xFE, 0, 0), "gas": (0x5A, 0, 1),
    "staticcall": (0xFA, 6, 1),
}  # fmt: skip
JUMPDEST, PUSH0, DUP1, SWAP1, POP = 0x5B, 0x5F, 0x80, 0x90, 0x50
ENDS = frozenset({"stop", "jump", "return", "revert", "invalid"})
LABEL = re.compile(r"(\w+):(.*)")
BLOCKS = ("macro", "repeat")
UNNAMED = "_"
ANYTHING = "..."

Stack = tuple[str, ...]


class AssemblyError(ValueError):
    """The source is wrong; the message tells the line."""


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    line: int
    stack: Stack | None = None  # of a label


@dataclass(slots=True)
class Assembler:
    """One pass that emits code and follows the stack, and one that fills in labels."""

    code: bytearray = field(default_factory=bytearray)
    stack: list[str] | None = field(default_factory=list)  # None: nothing gets here
    constants: dict[str, int] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    declared: dict[str, Stack] = field(default_factory=dict)
    uses: list[tuple[int, str, int]] = field(default_factory=list)  # where, label, line
    arrivals: list[tuple[str, Stack, int]] = field(default_factory=list)
    targets: dict[str, set[str]] = field(default_factory=dict)  # of a value's name
    last: Word = field(default_factory=lambda: Word("", 0))

    def run(self, words: Sequence[Word]) -> bytes:
        for word in words:
            try:
                self.emit(word)
            except (IndexError, KeyError, ValueError) as error:
                raise AssemblyError(f"line {word.line}, {word.text}: {error}") from error
            self.last = word
        for label, stack, line in self.arrivals:
            if label not in self.declared or not same(stack, self.declared[label]):
                there = " ".join(self.declared.get(label, ("no such label",)))
                raise AssemblyError(
                    f"line {line}: {label} wants [{there}], not [{' '.join(stack)}]"
                )
        for at, label, line in self.uses:
            if label not in self.places:
                raise AssemblyError(f"line {line}: there is no label {label}")
            self.code[at : at + 2] = self.places[label].to_bytes(2, "big")
        return bytes(self.code)

    def emit(self, word: Word) -> None:
        text = word.text
        if word.stack is not None:
            self.label(word, word.stack)
        elif text in OPCODES:
            self.opcode(word)
        elif text[0] == "@":
            self.uses.append((len(self.code) + 1, text[1:], word.line))
            self.put(b"\x61\0\0", 0, 1)
        elif text[0] == ">":
            self.name(text[1:])
        elif text[0] == "=":
            self.move(text[1:])
        elif match := re.fullmatch(r"(dup|swap)(\d+)", text):
            (self.dup if match[1] == "dup" else self.swap)(int(match[2]) - (match[1] == "dup"))
        elif text in self.constants or text[0].isdigit():
            self.push(self.constants[text] if text in self.constants else int(text, 0))
        else:
            self.dup(self.depth(text))

    def put(self, code: bytes, taken: int, left: int) -> None:
        stack = self.reached()
        if len(stack) < taken:
            raise ValueError(f"takes {taken} of a stack of {len(stack)}")
        self.code += code
        del stack[len(stack) - taken :]
        stack += [UNNAMED] * left

    def reached(self) -> list[str]:
        if self.stack is None:
            raise ValueError("nothing gets here: a label is due")
        return self.stack

    def label(self, word: Word, stack: Stack) -> None:
        if word.text in self.declared:
            raise ValueError("stands twice")
        if self.stack is not None:
            self.arrivals.append((word.text, tuple(self.stack), word.line))
        self.places[word.text], self.declared[word.text] = len(self.code), stack
        self.code.append(JUMPDEST)
        self.stack = list(stack[stack[:1] == (ANYTHING,) :])

    def opcode(self, word: Word) -> None:
        code, taken, left = OPCODES[word.text]
        goal = self.reached()[-1:] or [UNNAMED]
        self.put(bytes([code]), taken, left)
        if word.text in ("jump", "jumpi"):
            stack = tuple(self.reached())
            self.arrivals += [(label, stack, word.line) for label in sorted(self.goals(goal[0]))]
        if word.text in ENDS:
            self.stack = None

    def goals(self, top: str) -> set[str]:
        """The labels a jump may lead to: the one just pushed, or those of the value it takes."""
        if self.last.text[0] == "@":
            return {self.last.text[1:]}
        return self.targets[self.last.text if top == UNNAMED else top]

    def name(self, name: str) -> None:
        stack = self.reached()
        if name in OPCODES or name in self.constants:
            raise ValueError(f"{name} is taken")
        if name in stack[:-1]:
            raise ValueError(f"{name} is on the stack already")
        if self.last.text[0] == "@":
            self.targets.setdefault(name, set()).add(self.last.text[1:])
        stack[-1] = name

    def push(self, value: int) -> None:
        size = (value.bit_length() + 7) // 8
        self.put(bytes([PUSH0 + size]) + value.to_bytes(size, "big"), 0, 1)

    def depth(self, name: str) -> int:
        """How far below the top."""
        stack = self.reached()
        if name not in stack:
            raise ValueError("is neither an opcode nor on the stack")
        return len(stack) - 1 - stack.index(name)

    def dup(self, depth: int) -> None:
        self.reach(depth, 15)
        self.put(bytes([DUP1 + depth]), 0, 1)

    def swap(self, depth: int) -> None:
        if depth == 0:
            raise ValueError("is on top already")
        self.reach(depth, 16)
        stack = self.reached()
        self.code.append(SWAP1 + depth - 1)
        stack[-1], stack[-1 - depth] = stack[-1 - depth], stack[-1]

    def move(self, name: str) -> None:
        stack, depth = self.reached(), self.depth(name)
        self.swap(depth)
        self.put(bytes([POP]), 1, 0)
        stack[-depth] = name

    def reach(self, depth: int, most: int) -> None:
        if depth > most or depth >= len(self.reached()):
            raise ValueError(f"lies {depth} below the top of the stack, out of reach")


def same(stack: Stack, wanted: Stack) -> bool:
    """As many, and no name where another name is wanted."""
    if wanted[:1] == (ANYTHING,):
        wanted = wanted[1:]
        stack = stack[len(stack) - len(wanted) :] if len(stack) > len(wanted) else stack
    pairs = zip(stack, wanted, strict=False)
    return len(stack) == len(wanted) and all(a in (b, UNNAMED) for a, b in pairs)


def assemble(source: str) -> bytes:
    """The code. Raises AssemblyError with the line of the first mistake."""
    assembler = Assembler()
    return assembler.run(list(expand(split(source), assembler.constants, {})))


def split(source: str) -> list[Word]:
    words: list[Word] = []
    for number, text in enumerate(source.splitlines(), 1):
        text = text.split(";")[0].strip()
        if match := LABEL.fullmatch(text):
            words.append(Word(match[1], number, tuple(match[2].split())))
        else:
            words += [Word(part, number) for part in text.split()]
    return words


def expand(
    words: Sequence[Word], constants: dict[str, int], macros: dict[str, list[Word]]
) -> Iterator[Word]:
    """Macros, repetitions and constants resolved."""
    at = 0
    while at < len(words):
        word = words[at]
        if word.text == "const":
            constants[words[at + 1].text] = int(words[at + 2].text, 0)
            at += 3
        elif word.text in BLOCKS and word.stack is None:
            end = closing(words, at)
            body = list(words[at + 2 : end])
            if word.text == "macro":
                macros[words[at + 1].text] = body
            else:
                yield from expand(body * int(words[at + 1].text), constants, macros)
            at = end + 1
        elif word.text[0] == "%":
            if word.text[1:] not in macros:
                raise AssemblyError(f"line {word.line}: there is no macro {word.text[1:]}")
            yield from expand(macros[word.text[1:]], constants, macros)
            at += 1
        else:
            yield word
            at += 1


def closing(words: Sequence[Word], start: int) -> int:
    """Where the block that begins at `start` ends."""
    open_blocks = 0
    for at in range(start, len(words)):
        open_blocks += (words[at].text in BLOCKS) - (words[at].text == "end")
        if open_blocks == 0:
            return at
    raise AssemblyError(f"line {words[start].line}: {words[start].text} has no end")


if __name__ == "__main__":
    print(assemble(Path(sys.argv[1]).read_text()).hex())
