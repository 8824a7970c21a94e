"""The phrases by which models state, conclude, doubt, take back and refuse an answer."""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Sequence


def last_match(
    pattern: re.Pattern[str], text: str, start: int = 0, end: int = sys.maxsize
) -> re.Match[str] | None:
    """The last of a pattern's matches."""
    found = deque(pattern.finditer(text, start, end), maxlen=1)
    return found[0] if found else None


def occurs(words: Sequence[str], text: str) -> bool:
    """Whether one of the words stands in the text."""
    for word in words:  # noqa: SIM110  # `any` takes twice as long
        if word in text:
            return True
    return False


class Phrase:
    """A regular expression that is tried only where one of its words occurs.

    Outputs are long and are mostly searched in vain; looking for a word is many times faster.
    """

    def __init__(self, pattern: str, keys: str) -> None:
        self.pattern = re.compile(pattern, re.IGNORECASE | re.VERBOSE)
        self._keys = tuple(key.replace("_", " ") for key in keys.split())
        self._in_ascii = tuple(key for key in self._keys if key.isascii())

    def _occurs(self, lower: str) -> bool:
        lower = lower.replace("\n", " ").replace("\t", " ")
        while "  " in lower:  # words of a key are one space apart
            lower = lower.replace("  ", " ")
        return occurs(self._in_ascii if lower.isascii() else self._keys, lower)

    def search(self, text: str, start: int = 0) -> re.Match[str] | None:
        """The first match from `start` on."""
        if self._occurs(text[start:].lower() if start else text.lower()):
            return self.pattern.search(text, start)
        return None

    def all(self, text: str, start: int = 0) -> list[re.Match[str]]:
        """Every match from `start` on."""
        if self._occurs(text[start:].lower() if start else text.lower()):
            return list(self.pattern.finditer(text, start))
        return []

    def last(self, text: str) -> re.Match[str] | None:
        """The last match."""
        found = self.all(text)
        return found[-1] if found else None

    def at_keys(self, text: str, start: int) -> list[re.Match[str]]:
        """Matches that begin at one of the words, in order; none begins within another."""
        lower = text.lower()
        if len(lower) != len(text):  # a letter whose lower case is two
            lower = text
        found: list[re.Match[str]] = []
        for key in self._in_ascii if lower.isascii() else self._keys:
            place = lower.find(key, start)
            while place >= 0:
                before = text[place - 1] if place else " "
                if not (key[0].isascii() and (before.isalnum() or before == "-")):
                    match = self.pattern.match(text, place)
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
        # {{"answer": "5"}} and the row of a table: what is said ends with its quote or its cell
        answer["']\s{{0,4}}:\s{{0,4}}
      | answer[*_]{{0,3}}[^\S\n]{{0,9}}\|[^\S\n]{{0,9}}
        # "answer is", "answer to the question is:", "Answer:", "**Answer**:"
      |         {_THING}s?[*_]{{0,3}}
        (?:\s+(?:to|for|of)\s+(?!be\b)[^.:;=\n]{{1,120}}?)?
        (?:(?:{_BE}|\s*[:：])[\s*_]*)+
      | (?<=final\ )answer[*_]{{0,3}}(?:\s*\n+\s*|\s+)
      | (?:(?<=\n)|(?<![\s\S]))ans(?:wer)?\.?\s*[:=]?\s*(?=[-\d(\[\\$])
      | final\s+(?:value|number|total|count){_BE}\s*
      | (?:choose|select|pick)\s+(?:the\s+\w{{1,12}}\s+)?(?:option\s+|choice\s+
        |answer\s+)?(?=\(?[A-J]\b)
      | (?:Ответ|Réponse|Respuesta|Antwort|Resposta|Risposta|Jawaban|Đáp\s*án|정답|Cevap
        |Antwoord|Svar
        |Odpowied[źz]|คำตอบ|الجواب|الإجابة|उत्तर|התשובה|پاسخ)
        (?:\s*[:：]|은|는|คือ|\s+(?:est|es|ist|é|è|adalah|là|هو|هي|है|היא|is|är|to|ist)(?=\s))\s*
      | \#{{4}}\s*
      | 【答案】\s*
      | (?:正确|最终|最后)?(?:的)?(?:答案|选项|结果|答)\s*(?:应该|应)?\s*(?:是|为|[:：]
        |选)\s*[:：]?\s*(?:选项\s*)?
      | (?:故选|所以选|应选|选择|本题选|因此选|应该选)(?:择)?\s*[:：]?\s*(?:选项\s*)?
      | (?:答え|正解|解答|正しい(?:選択肢|答え))\s*(?:は|[:：])\s*
    """,
    "answer ans solution result response choice option final choose select pick ответ réponse "
    "respuesta antwort resposta risposta jawaban đáp 정답 cevap antwoord svar odpowied คำตอบ "
    "الجواب "
    "الإجابة उत्तर התשובה پاسخ #### 正确 最终 最后 答 选项 结果 故选 所以选 应选 选择 本题选 "
    "因此选 应该选 【答案】 正解 解答 正しい",
)
# "(B) is the correct option": the letter stands first.
OPTION_FIRST = Phrase(
    r"(?<!\w)(?:option|choice|answer)?\s*\(?([A-J])\)?\s+is\s+(?:the\s+)?(?:correct|right)\b",
    "is_correct is_the_correct is_right is_the_right",
)
CONCLUSION = re.compile(
    r"^\W*(?:and\s+|then\W+)?(?:therefore|thus|hence|so|consequently|accordingly|in\s+total|altogether|"
    r"in\s+conclusion|as\s+a\s+result|overall|in\s+summary|to\s+sum\s+up|finally|it\s+follows"
    r"|(?:this|that)\s+means|following\s+(?:this|the|that)\s+\w{1,12})(?![\w-])"
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
    r"|\bno\s+(?:image|picture)\b|无法|不能确定|看不到|^\s*(?:none|unknown)\W*$",
    "cannot can't can_not unable not_able could impossible possible_to difficult hard_to n't_know "
    "not_know information no_image no_picture none unknown 无法 不能 看不到",
)
OUTRIGHT_REFUSAL = Phrase(
    r"(?:I'?m|I\s+am|we\s+are|we're)\s+(?:sorry|unable|not\s+able|just\s+a|only\s+a)\b|^\W*sorry\b"
    r"|(?:^|[.!?]\s+|\b(?:so|therefore,?|but|however,?)\s+)(?:I|we)\s+(?:can(?:no|')t|can\s*not)\b"
    r"|\bcan(?:no|')?t\s+be\s+determined|cannot\s+(?:be\s+)?(?:determined?|answer(?:ed)?)\b"
    r"|\b(?:not|im)\s*possible\s+to\s+(?:determine|answer|say|know|calculate|provide)"
    r"|(?:\bnot\s+|n't\s+|\bin)(?:enough|sufficient)\s+(?:information|data|detail)|\bno\s+(?:\w+\s+)?answer\s+is\s+possible"
    r"|\b(?:cannot|can't)\s+(?:tell|say|know|see)\b|\btoo\s+(?:blurr(?:ed|y)|small|dark|unclear)\s+to\s+(?:read|see|tell)"
    r"|\bno\s+way\s+(?:to\s+(?:tell|know|say)|of\s+(?:telling|knowing))"
    r"|无法",
    "enough sufficient possible no_way too_ cannot sorry unable not_able just_a only_a can't "
    "cant_be can_not 无法",
)
CLOSING = Phrase(
    r"\b(?:I\s+hope\s+(?:this|that|it)|let\s+me\s+know|is\s+there\s+anything\s+else|do\s+you\s+(?:have|want)"
    r"|feel\s+free|if\s+you\s+have\s+any|would\s+you\s+like|happy\s+to\s+help|thank)",
    "hope let_me_know anything do_you feel_free if_you would_you happy thank",
)
NEGATED = re.compile(
    r"\s*(?:(?:not|never|n't|neither|almost|nearly|anything\s+(?:but|except)|hardly|barely|far\s+from|nowhere\s+near|no\s+longer"
    r"|close\s+to\s+but\s+not|(?<!none )other\s+than|different\s+from|unlikely|unknown"
    r"|unclear|uncertain"
    r"|undetermined|undefined|in\s+doubt|wrong|incorrect)\b|不是|不可能)",
    re.IGNORECASE,
)
AFTER_NEGATION = re.compile(
    r"(?:[;,.—]|\bbut\b)\s*(?:but\s+)?(?:it\s+is|it's|rather|instead|but|而是|应该是)?\s+(?=[-\d\\$(\[a-zA-Z])",
    re.IGNORECASE,
)
PLACEHOLDER = re.compile(
    r"[\s.…_?*-]*|\\?(?:text\{)?\s*(?:your|the|final|my)?\s*(?:final\s+)?(?:answer|value|result|number|"
    r"expression)(?:\s+here)?\s*\}?|x{2,}|\.\.\.",
    re.IGNORECASE,
)
OR = re.compile(
    r"\s*[,;]?\s*(?:\(?\s*(?:or|或者?|also|(?:and\s+)?(?:maybe|perhaps|possibly|if\s+not))\b"
    r"|/\s*(?=\d)|\bversus\b)",
    re.IGNORECASE,
)
HEDGE = re.compile(
    r"\s*(?:(?:maybe|perhaps|possibly|even|also|about|rather|alternatively)\s+){0,3}", re.IGNORECASE
)
UNTOLD = re.compile(
    r"\s*(?:unlikely|unknown|unclear|uncertain|undetermined|undefined|in\s+doubt)\b", re.IGNORECASE
)
CONCLUDES = re.compile(  # "∴ 2", "=> x = 2"
    r"[\s$*]{0,9}(?:(?:=>|==>|⇒|∴|\\therefore|\\Rightarrow|\\implies)[\s$]{0,9}){1,3}"
)
FILLER = re.compile(  # "the answer is, for certain, D"
    r"[,\s]*(?:(?:for\s+(?:sure|certain)|definitely|certainly|clearly|obviously|indeed|therefore|thus|then"
    r"|simply|just|actually|surely|of\s+course|undoubtedly|hence|none\s+other\s+than|in\s+fact)(?!\w)[,:\s]*){1,3}",
    re.IGNORECASE,
)
# Words behind a number that make another one of it, or a measure that is not stated in full.
_CHANGES = (
    r"squared|cubed|factorial|halves|half|thirds?|quarters?|fourths?|fifths?|sixths?|sevenths?|eighths?"
    r"|ninths?|tenths?|hundredths?|thousandths?|millionths?|dozens?|scores?|(?:square\s+|cube\s+)?roots?"
    r"|below\s+(?:zero|sea|ground|the)|under\s+zero|modulo|mod"
)
_CHANGES_CHINESE = r"分之|倍的|的(?:平方|立方|倒数|相反数|一半|两倍|\w{1,3}倍)"
CHANGED_BEHIND = re.compile(
    rf"\d[\s,$*]{{0,3}}(?:[a-z]{{1,12}}\s+)?(?:{_CHANGES})(?![\w-])|\d(?:st|nd|rd|th)(?!\w)"
    rf"|\d\s{{0,3}}(?:{_CHANGES_CHINESE}|\((?:or\s|(?:incorrect|wrong|false|rejected)\)))",
    re.IGNORECASE,
)
CHANGES_BEHIND = re.compile(
    rf"[\s$*]{{0,3}}(?:(?:degrees?|units?|metres?|meters?|times)\s+)?(?:{_CHANGES}"
    r"|to\s+the\s+(?:power|\w+\s+power|total|whole)|(?:divided|multiplied|raised|reduced|increased|decreased)\s+(?:by|to)"
    r")(?![\w-])|[\s$*]{0,3}(?:times|plus|minus|over|point|choose)\s+(?=\S)"
    rf"|\s{{0,3}}(?:{_CHANGES_CHINESE})",
    re.IGNORECASE,
)
# Words before a number that make another one of it.
CHANGES_BEFORE = Phrase(
    r"(?<!\w)(?:(?:half|third|quarter|fourth|fifth|tenth|fraction|multiples?|factors?|divisors?|powers?|root|square"
    r"|cube|reciprocal|inverse|opposite|negative|logarithm|log|sum|product|difference|quotient|ratio|remainder"
    r"|part|some|none|most|percent|percentage|order|function)\s+(?:of|by|between)(?:\s+(?:the|all))?"
    r"|divisible\s+by|proportional\s+to|root|sqrt|twice|thrice|double|triple|quadruple|square|cube|mod(?:ulo)?|base|log|ln|sin|cos|tan)"
    r"\s+(?:the\s+)?(?:about\s+)?[$*\\(]{0,4}$",
    "of_ by_ between root sqrt twice thrice double triple quadruple square cube mod base log ln_ "
    "sin cos tan proportional",
)
