"""Records that are chats, as trainers keep them: their turns as a question and its answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from vlm_boundary.benchmarks.sources.files import Record
from vlm_boundary.errors import UserError

MARK = "<image>"
"""What stands in a chat's text where a picture is."""

# LLaVA's and LLaMA-Factory's, and verl's, in which the answer is no turn.
_COLUMNS = ("conversations", "messages", "prompt")
_SPEAKERS = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "model": "assistant",
}
_NAMES = {"user": "User", "assistant": "Assistant"}


def chat_records(records: Iterable[Record], where: str) -> Iterator[Record]:
    """Each record with what its turns say, as the columns `_question`, `_answer` and `_system`.

    The last turn of the user is the question, and the assistant's behind it the answer (null where
    there is none). Turns before it stand before the question, each after the name of its speaker.

    Raises:
        UserError: a record has no turns, or turns of another form; `where` names the benchmark.
    """
    for number, record in enumerate(records):
        here = f"{where}: record {number}"
        column = next((name for name in _COLUMNS if record.get(name)), None)
        if column is None:
            raise UserError(
                f"{here} has no turns: format chat reads the first of {', '.join(_COLUMNS)}"
            )
        yield record | _told(_turns(record[column], f"{here}, {column}"), f"{here}, {column}")


def _turns(cell: Any, where: str) -> list[tuple[str, str]]:
    """Who speaks, and what, turn by turn."""
    if not isinstance(cell, list) or not all(isinstance(turn, Mapping) for turn in cell):
        raise UserError(f"{where} is not a list of turns")
    turns = []
    for place, turn in enumerate(cell):
        speaker = turn.get("role") or turn.get("from")
        if speaker not in _SPEAKERS:
            raise UserError(
                f"{where}, turn {place}: unknown speaker {speaker!r}; there are "
                f"{', '.join(_SPEAKERS)}"
            )
        said = turn.get("content") if turn.get("content") is not None else turn.get("value")
        turns.append((_SPEAKERS[speaker], _text(said, f"{where}, turn {place}")))
    return turns


def _told(turns: list[tuple[str, str]], where: str) -> Record:
    system = "\n".join(said for speaker, said in turns if speaker == "system") or None
    spoken = [turn for turn in turns if turn[0] != "system"]
    answer = spoken.pop()[1] if spoken and spoken[-1][0] == "assistant" else None
    if not spoken or spoken[-1][0] != "user":
        raise UserError(f"{where} has no question: no turn of the user before the last answer")
    *before, (_, question) = spoken
    told = [f"{_NAMES[speaker]}: {said}" for speaker, said in before]
    if told:
        question = "\n".join([*told, f"{_NAMES['user']}: {question}"])
    return {"_question": question, "_answer": answer, "_system": system}


def _text(said: Any, where: str) -> str:
    """A turn's text; of one in parts, the texts and a mark for each picture."""
    if isinstance(said, str):
        return said
    if not isinstance(said, list):
        raise UserError(f"{where} says neither text nor a list of parts")
    pieces = []
    for part in said:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind == "text" and isinstance(part.get("text"), str):
            pieces.append(part["text"])
        elif kind in ("image", "image_url"):
            pieces.append(MARK)
        else:
            raise UserError(f"{where} has a part of type {kind!r}; there are text and image")
    return "".join(pieces)
