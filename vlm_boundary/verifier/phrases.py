"""The phrases by which models state, conclude, doubt, take back and refuse an answer."""

from __future__ import annotations

import re

_BE = r"(?:\s+(?:is|are|was|would\s+be|will\s+be|should\s+be|must\s+be|comes\s+out\s+to|equals)\b|\s*=)"
_KIND = r"(?:final|correct|right|required|best|exact|numerical|short|my|overall|full)"
_THING = r"(?:answer|ans|solution|result|response|choice|option)"
# An answer stated as the answer; what follows the match is the answer.
STATEMENT = re.compile(
    rf"""
    (?<![\w-])(?:
        # "the answer is", "the final answer to the question is:", "Answer:", "**Answer**:"
        (?:{_KIND}\s+){{0,2}}{_THING}s?[*_]{{0,3}}
        (?:\s+(?:to|for|of)\s+(?!be\b)[^.:;=\n]{{1,120}}?)?
        (?:(?:{_BE}|\s*[:：])[\s*_]*)+
      | (?:final|correct)\s+{_THING}[*_]{{0,3}}\s*\n+\s*
      | {_KIND}\s+answer\s+
      | ANS(?:WER)?\.?\s*[:=]?\s*(?=[-\d(\[\\$])
      | (?:I|we)\s+(?:choose|select|pick|answer)\s+(?:option\s+|choice\s+)?
      | (?:Ответ|Réponse|Respuesta|Antwort|Resposta|Risposta|Jawaban|Đáp\s*án|정답)
        (?:\s*[:：]|은|는|\s+(?:est|es|ist|é|è|adalah|là))\s*
    )
    | \#{{4}}\s*
    | final\s+(?:value|number|total|count){_BE}\s*
    | (?:最终|正确|最后的?|参考)?(?:答案|答)\s*(?:应该|应)?(?:是|为|[:：]|选)\s*[:：]?\s*
    | (?:故选|因此选|所以选|应选|选择)\s*[:：]?\s*
    | 答え\s*(?:は|[:：])\s*
    """,
    re.IGNORECASE | re.VERBOSE,
)
FINAL = re.compile(r"final|最终|####", re.IGNORECASE)
# "(B) is the correct option": the letter stands first.
OPTION_FIRST = re.compile(
    r"(?<!\w)(?:option|choice|answer)?\s*\(?([A-J])\)?\s+is\s+(?:the\s+)?(?:correct|right)\b",
    re.IGNORECASE,
)
CONCLUSION = re.compile(
    r"^\W*(?:and\s+|then\W+)?(?:therefore|thus|hence|so|consequently|accordingly|in\s+total|altogether|"
    r"in\s+conclusion|as\s+a\s+result|overall|in\s+summary|to\s+sum\s+up|finally|it\s+follows)(?![\w-])"
    r"|[,;]\s*(?:and\s+)?(?:therefore|thus|hence|so)(?!\s+that)(?![\w-])"
    r"|所以|因此|因而|故|综上|总共|一共|∴|\\therefore",
    re.IGNORECASE,
)
RETRACTION = re.compile(
    r"(?<!\w)(?:wait|no,|actually|correction|oops|sorry|mistake|hmm|instead|scratch\s+that|let\s+me"
    r"|re-?check|double.?check|reconsider|however|but)(?!\w)|不对|等等|重新",
    re.IGNORECASE,
)
TAKEN_BACK = re.compile(
    r"(?:^|[.!\n;,]\s*)(?:(?:wait|no|oops|hmm|sorry)[,.!]?\s+)*(?:but\s+)?(?:that|this|it)(?:'s|\s+is|\s+was|"
    r"\s+cannot\s+be|\s+can't\s+be|\s+seems|\s+must\s+be)\s+(?:clearly\s+|probably\s+|obviously\s+)?"
    r"(?:not\s+(?:right|correct|true|possible)|wrong|incorrect|impossible|a\s+mistake|an\s+error)",
    re.IGNORECASE,
)
HYPOTHETICAL = re.compile(
    r"(?<!\w)(?:for\s+example|for\s+instance|e\.g\.|suppose|assum(?:e|ing)|"
    r"let's\s+say|would\s+have\s+been|would\s+be\s+if)(?!\w)|例如|假设|如果",
    re.IGNORECASE,
)
REFUSAL = re.compile(
    r"(?:\b(?:can(?:no|')t|can\s*not|unable\s+to|not\s+able\s+to|could\s+not|couldn't|impossible\s+to|"
    r"not\s+possible\s+to|difficult\s+to|hard\s+to|don't\s+know|do\s+not\s+know)\s*"
    r"(?:be\s+)?(?:help|determine|answer|provide|see|view|tell|say|calculate|solve|give|identify|"
    r"find|infer|estimate|how|what|which|assist|process|analy[sz]e|directly)?)"
    r"|\bnot\s+enough\s+information\b|\bmore\s+information\b|\bcannot\s+be\s+(?:determined|answered)\b"
    r"|\bno\s+(?:image|picture)\b|无法|不能确定|看不到|^\s*(?:N/?A|none|unknown)\W*$",
    re.IGNORECASE,
)
OUTRIGHT_REFUSAL = re.compile(
    r"(?:I'?m|I\s+am|we\s+are|we're)?\s*(?:sorry|unable|not\s+able|just\s+a|only\s+a)\b"
    r"|(?:^|[.!?]\s+|\b(?:so|therefore,?|but|however,?)\s+)(?:I|we)\s+(?:can(?:no|')t|can\s*not)\b"
    r"|\bcan(?:no|')?t\s+be\s+determined|cannot\s+(?:be\s+)?(?:determined?|answer(?:ed)?)\b"
    r"|\b(?:not|im)\s*possible\s+to\s+(?:determine|answer|say|know|calculate|provide)"
    r"|^\s*N/?A\W*$|无法",
    re.IGNORECASE,
)
CLOSING = re.compile(
    r"\b(?:I\s+hope\s+(?:this|that|it)|let\s+me\s+know|is\s+there\s+anything\s+else|do\s+you\s+(?:have|want)"
    r"|feel\s+free|if\s+you\s+have\s+any|would\s+you\s+like|happy\s+to\s+help|thank)",
    re.IGNORECASE,
)
OPENING = re.compile(r"^\s*(?:sure|certainly|of\s+course|okay|ok|yes|here\s+(?:is|are))\b[^.!\n]*[.!:,]", re.IGNORECASE)
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
HEDGED = re.compile(
    r"\b(?:maybe|perhaps|possibly|probably|i\s+think|i\s+guess|might\s+be|could\s+be|likely)\b|可能|大概",
    re.IGNORECASE,
)
