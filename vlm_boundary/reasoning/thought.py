"""Whether what follows a separate thought answers as the thought concludes."""

from __future__ import annotations

from vlm_boundary.reasoning.evidence import Chain, Evidence
from vlm_boundary.records.validity import Flag
from vlm_boundary.records.verdict import COMMITTED
from vlm_boundary.verifier.grader import grade
from vlm_boundary.verifier.thoughts import last_thought
from vlm_boundary.verifier.verdict import Gold, Output

AGREES: Flag = "thought_agrees"
DIFFERS: Flag = "thought_differs"
_CONCLUDES = COMMITTED | {"conclusion"}
_TAIL = 4000  # characters of a thought in which its conclusion stands


def _plain(written: str) -> str:
    """What a model wrote, for a note: on one line, without signs that only steer a terminal."""
    kept = "".join(letter if letter.isprintable() else " " for letter in written[:40])
    return " ".join(kept.split())


def beside_thought(chain: Chain, start: int, end: int) -> list[Evidence]:
    """A hint that says how the final answer compares with the conclusion of a separate thought.

    Compared as values, by the verifier. Nothing where there is no thought that closes before the
    answer, where it comes to no conclusion, or where the two cannot be compared.
    """
    if chain.answer is None or chain.span is None:
        return []
    place = last_thought(chain.text, start, end)
    if place is None or place[1] > chain.span[0]:
        return []
    first = max(place[0], place[1] - _TAIL)
    thought = chain.text[first : place[1]]
    said = grade(Output(thought, Gold(chain.answer, question=chain.question), thinking_open=False))
    if said.correct is None or said.span is None or said.source not in _CONCLUDES:
        return []
    at = first + said.span[0], first + said.span[1]
    if said.correct:
        return [Evidence(AGREES, *at, "the thought concludes as is answered", veto=False)]
    concluded, answer = _plain(said.extracted or ""), _plain(chain.answer)
    note = f"the thought concludes {concluded}, the answer is {answer}"
    return [Evidence(DIFFERS, *at, note, veto=False)]
