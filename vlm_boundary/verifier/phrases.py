"""The phrases by which models state, conclude, doubt, take back and refuse an answer."""

from __future__ import annotations

import re
import sys
from collections import deque


def last_match(
    pattern: re.Pattern[str], text: str, start: int = 0, end: int = sys.maxsize
) -> re.Match[str] | None:
    """The last of a pattern's matches."""
    found = deque(pattern.finditer(text, start, end), maxlen=1)
    return found[0] if found else None


class Phrase:
    """A regular expression that is tried only where one of its words occurs.

    Outputs are long and are mostly searched in vain; looking for a word is many times faster.
    """

    def __init__(self, pattern: str, keys: str) -> None:
        self._pattern = re.compile(pattern, re.IGNORECASE | re.VERBOSE)
        self._keys = tuple(key.replace("_", " ") for key in keys.split())

    def search(self, text: str, start: int = 0) -> re.Match[str] | None:
        """The first match from `start` on."""
        lower = text[start:].lower() if start else text.lower()
        for key in self._keys:
            if key in lower:
                return self._pattern.search(text, start)
        return None

    def at_keys(self, text: str, start: int) -> list[re.Match[str]]:
        """Matches that begin at one of the words, in order; none begins within another."""
        lower = text.lower()
        if len(lower) != len(text):  # a letter whose lower case is two
            lower = text
        found: list[re.Match[str]] = []
        for key in self._keys:
            place = lower.find(key, start)
            while place >= 0:
                before = text[place - 1] if place else " "
                if not (key[0].isascii() and (before.isalnum() or before == "-")):
                    match = self._pattern.match(text, place)
                    if match:
                        found.append(match)
                place = lower.find(key, place + 1)
        found.sort(key=lambda match: match.start())
        kept: list[re.Match[str]] = []
        for match in found:
            if not kept or match.start() >= kept[-1].end():
                kept.append(match)
        return kept


_BE = (
    r"(?:\s+(?:is|are|was|would\s+be|will\s+be|should\s+be|must\s+be|comes\s+out\s+to|equals)\b"
    r"|\s*=)"
)
_THING = r"(?:answer|ans|solution|result|response|choice|option)"
# An answer stated as the answer; what follows the match is the answer.
STATEMENT = Phrase(
    rf"""
        # "answer is", "answer to the question is:", "Answer:", "**Answer**:"
        {_THING}s?[*_]{{0,3}}
        (?:\s+(?:to|for|of)\s+(?!be\b)[^.:;=\n]{{1,120}}?)?
        (?:(?:{_BE}|\s*[:：])[\s*_]*)+
      | (?<=final\ )answer[*_]{{0,3}}(?:\s*\n+\s*|\s+)
      | (?:(?<=\n)|(?<![\s\S]))ans(?:wer)?\.?\s*[:=]?\s*(?=[-\d(\[\\$])
      | final\s+(?:value|number|total|count){_BE}\s*
      | (?:choose|select|pick)\s+(?:option\s+|choice\s+)?(?=\(?[A-J]\b)
      | (?:Ответ|Réponse|Respuesta|Antwort|Resposta|Risposta|Jawaban|Đáp\s*án|정답)
        (?:\s*[:：]|은|는|\s+(?:est|es|ist|é|è|adalah|là))\s*
      | \#{{4}}\s*
      | (?:答案|答)\s*(?:应该|应)?(?:是|为|[:：]|选)\s*[:：]?\s*
      | (?:故选|所以选|应选|选择)\s*[:：]?\s*
      | 答え\s*(?:は|[:：])\s*
    """,
    "answer ans solution result response choice option final choose select pick ответ réponse "
    "respuesta antwort resposta risposta jawaban đáp 정답 #### 答 故选 所以选 应选 选择",
)
# "(B) is the correct option": the letter stands first.
OPTION_FIRST = Phrase(
    r"(?<!\w)(?:option|choice|answer)?\s*\(?([A-J])\)?\s+is\s+(?:the\s+)?(?:correct|right)\b",
    "is_correct is_the_correct is_right is_the_right",
)
CONCLUSION = re.compile(
    r"^\W*(?:and\s+|then\W+)?(?:therefore|thus|hence|so|consequently|accordingly|in\s+total|altogether|"
    r"in\s+conclusion|as\s+a\s+result|overall|in\s+summary|to\s+sum\s+up|finally|it\s+follows)(?![\w-])"
    r"|[,;]\s*(?:and\s+)?(?:therefore|thus|hence|so)(?!\s+that)(?![\w-])"
    r"|所以|因此|因而|故|综上|总共|一共|∴|\\therefore",
    re.IGNORECASE,
)
RETRACTION = Phrase(
    r"(?<!\w)(?:wait|no,|actually|correction|oops|sorry|mistake|hmm|instead|scratch\s+that|let\s+me"
    r"|re-?check|double.?check|reconsider|however|but)(?!\w)|不对|等等|重新",
    "wait no, actually correction oops sorry mistake hmm instead scratch let_me check reconsider "
    "however but 不对 等等 重新",
)
TAKEN_BACK = Phrase(
    r"(?:^|[.!\n;,]\s*)(?:(?:wait|no|oops|hmm|sorry)[,.!]?\s+)*(?:but\s+)?(?:that|this|it)(?:'s|\s+is|\s+was|"
    r"\s+cannot\s+be|\s+can't\s+be|\s+seems|\s+must\s+be)\s+(?:clearly\s+|probably\s+|obviously\s+)?"
    r"(?:not\s+(?:right|correct|true|possible)|wrong|incorrect|impossible|a\s+mistake|an\s+error)",
    "not_right not_correct not_true not_possible wrong incorrect impossible mistake error",
)
HYPOTHETICAL = Phrase(
    r"(?<!\w)(?:for\s+example|for\s+instance|e\.g\.|suppose|assum(?:e|ing)|"
    r"let's\s+say|would\s+have\s+been|would\s+be\s+if)(?!\w)|例如|假设|如果",
    "example instance e.g. suppose assum let's would_have would_be 例如 假设 如果",
)
REFUSAL = Phrase(
    r"(?:\b(?:can(?:no|')t|can\s*not|unable\s+to|not\s+able\s+to|could\s+not|couldn't|impossible\s+to|"
    r"not\s+possible\s+to|difficult\s+to|hard\s+to|don't\s+know|do\s+not\s+know)\s*"
    r"(?:be\s+)?(?:help|determine|answer|provide|see|view|tell|say|calculate|solve|give|identify|"
    r"find|infer|estimate|how|what|which|assist|process|analy[sz]e|directly)?)"
    r"|\bnot\s+enough\s+information\b|\bmore\s+information\b|\bcannot\s+be\s+(?:determined|answered)\b"
    r"|\bno\s+(?:image|picture)\b|无法|不能确定|看不到|^\s*(?:N/?A|none|unknown)\W*$",
    "can unable able could not_ impossible difficult hard know information image picture n/a na "
    "none unknown 无法 不能 看不到",
)
OUTRIGHT_REFUSAL = Phrase(
    r"(?:I'?m|I\s+am|we\s+are|we're)\s+(?:sorry|unable|not\s+able|just\s+a|only\s+a)\b|^\W*sorry\b"
    r"|(?:^|[.!?]\s+|\b(?:so|therefore,?|but|however,?)\s+)(?:I|we)\s+(?:can(?:no|')t|can\s*not)\b"
    r"|\bcan(?:no|')?t\s+be\s+determined|cannot\s+(?:be\s+)?(?:determined?|answer(?:ed)?)\b"
    r"|\b(?:not|im)\s*possible\s+to\s+(?:determine|answer|say|know|calculate|provide)"
    r"|^\s*N/?A\W*$|无法",
    "sorry unable able just only can't cannot can_not determined answered possible n/a na 无法",
)
CLOSING = Phrase(
    r"\b(?:I\s+hope\s+(?:this|that|it)|let\s+me\s+know|is\s+there\s+anything\s+else|do\s+you\s+(?:have|want)"
    r"|feel\s+free|if\s+you\s+have\s+any|would\s+you\s+like|happy\s+to\s+help|thank)",
    "hope let_me_know anything do_you feel_free if_you would_you happy thank",
)
NEGATED = re.compile(r"\s*(?:not|never|n't|neither|anything\s+but|不是)\b", re.IGNORECASE)
AFTER_NEGATION = re.compile(
    r"(?:[;,.—]|\bbut\b)\s*(?:but\s+)?(?:it\s+is|it's|rather|instead|but|而是|应该是)?\s+(?=[-\d\\$(\[a-zA-Z])",
    re.IGNORECASE,
)
PLACEHOLDER = re.compile(
    r"[\s.…_?*-]*|\\?(?:text\{)?\s*(?:your|the|final|my)?\s*(?:final\s+)?(?:answer|value|result|number|"
    r"expression)(?:\s+here)?\s*\}?|x{2,}|\.\.\.",
    re.IGNORECASE,
)
OR = re.compile(r"\s*[,;]?\s*(?:\(?\s*(?:or|或者?)\b|/\s*(?=\d)|\bversus\b)", re.IGNORECASE)
