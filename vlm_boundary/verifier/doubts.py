"""What is said about an answer: that it is only supposed, is denied, is taken back, is confirmed.

Each rule looks at one sentence or at what stands behind an answer, and each pattern is bounded, so
that the time is linear in the text. The phrases are those of models that reason aloud.
"""

from __future__ import annotations

import re
from functools import lru_cache

from vlm_boundary.verifier.phrases import Phrase, last_match

_MAX_BEFORE = 240
_SENTENCE_START = re.compile(r"[.!?;\n。！？；](?:(?=\s)|(?<=[\n。！？；]))")
_WRAPPING = r"[\s$*_\\(){}\[\]~\"',]{0,12}"

_THAT = (
    r"(?:(?:that|this|my)(?:\s+(?:answer|result|value|number|count|total))?|it|which"
    r"|the\s+(?:above|answer(?:\s+above)?|result|value|previous\s+answer))"
)
_BE = (
    r"(?:'s|\s+(?:is|was|would\s+be|seems(?:\s+to\s+be)?|looks|must\s+be|may\s+be|might\s+be"
    r"|turns\s+out\s+to\s+be|appears(?:\s+to\s+be)?|gives?))"
)
_HOW = (
    r"(?:\s+(?:clearly|obviously|probably|definitely|actually|simply|still|also|far|way"
    r"|just|now)){0,2}"
)
_TOO = (
    r"too\s+(?:high|low|small|large|big|little|much|many|few|great|long|short|far|old|young|wide"
    r"|narrow|heavy|light|fast|slow|steep)"
)
_NO_GOOD = (
    rf"(?:wrong|incorrect|mistaken|false|impossible|absurd|nonsense|inconsistent|invalid|unreasonable"
    rf"|not\s+(?:quite\s+|actually\s+|at\s+all\s+)?(?:right|correct|true|possible|valid|it(?=\W)|the\s+(?:right\s+|correct\s+)?"
    rf"(?:answer|case|value|solution|result)|an?\s+(?:solution|answer)|consistent|reasonable|what)"
    rf"|ruled\s+out|excluded|extraneous|spurious|inadmissible|rejected|discarded|eliminated|refuted|out\s+of\s+the\s+question"
    rf"|an?\s+(?:\w+\s+)?(?:mistake|error|typo|overcount|undercount|miscount|illusion|trap|contradiction)"
    rf"|{_TOO}|off(?:\s+by\b|\s*$|[.,;!]))"
)
_FAILS = (
    r"(?:(?:does|do|did|ca|could|would|can)(?:\s+not|n't)\s+(?:actually\s+|really\s+)?"
    r"(?:satisfy|match|work|fit|hold|add\s+up|make\s+sense(?!\s+(?:for|that|to)\b)|agree|equal|(?:look|seem|sound|feel)\s+(?:quite\s+)?(?:right|correct|plausible)|be\s+(?:right|correct|true|possible|it))"
    r"|cannot\s+be\s*(?:right|correct|true|possible|it\b)|contradicts|violates|fails|overcounts|undercounts"
    r"|makes\s+no\s+sense(?!\s+(?:for|that|to)\b))"
)
# Behind an answer: it, or what was done to get it, is disowned outright.
DISOWNED = Phrase(
    rf"""
      (?:^|[.!\n;,(—–]|--|\bbut|\bhowever,?|\bsince|\bno,?|\bwait,?|\bactually,?|\bhmm,?|[:：])\s{{0,9}}
        (?:(?:wait|no|oops|hmm+|sorry|but|however|actually|well)[,.!]?\s+){{0,3}}
        {_THAT}(?:{_BE}{_HOW}\s+{_NO_GOOD}|\s+(?:clearly\s+|obviously\s+)?{_FAILS})
    | (?<!\w)I(?:\s+have|'ve)?(?:\s+(?:think|see|notice|realize|realise)(?:\s+that)?\s+I)?
        \s+(?:just\s+|also\s+|accidentally\s+|clearly\s+)?
        (?:made\s+(?:a|an|some)\s+(?:\w+\s+)?(?:mistake|error|slip)|was\s+(?:wrong|mistaken)|am\s+wrong
        |(?:had\s+)?(?:forgot(?:ten)?|missed|misread|miscounted|miscalculated|overlooked|mixed\s+up|messed\s+up
        |double[-\s]counted|skipped|counted\s+(?:\w+\s+){{1,3}}twice)
        |should\s+(?:recount|redo|reconsider|recompute|have\s+\w+))
    | (?<!\w)(?:scratch|strike|forget|ignore|disregard|discard)\s+
        (?:that|this|it\b|(?:the\s+|my\s+)?(?:above|last|previous|answer|earlier|box))
    | (?<!\w)I\s+(?:take\s+(?:that|this|it)\s+back|retract|withdraw)(?!\w)
    | (?<!\w)(?:never\s+mind|nevermind|my\s+(?:mistake|bad|error)|off\s+by\s+(?:one|\d))(?!\w)
    | (?<!\w)(?:there(?:'s|\s+is|\s+was)\s+(?:a|an)\s+(?:mistake|error)\s+(?:above|in\s+my))
    | (?<!\w)(?:this|that|it)\s+should\s+(?:actually\s+)?have\s+been(?!\w)
    | ,\s+which\s+we\s+(?:should|must|do|did|can)(?:n't|\s+not)(?!\w)
    | (?<!\w)I\s+(?:\w+\s+)?(?:disagree|do(?:n't|\s+not)\s+(?:agree|believe))(?!\w)
    | ,\s+but\s+(?:it|that|this)\s+(?:is|was|does|did)(?:n't|\s+not)(?=\s*[.,;!—]|\s*$)
    | 不对|错了|有误|算错|更正|我(?:漏|数错|看错|弄错)
    """,
    "wrong incorrect mistake false impossible absurd nonsense inconsistent invalid "
    "unreasonable not_ "
    "ruled exclud extraneous spurious inadmissible reject discard eliminat refut out_of error typo "
    "count illusion trap contradict too disagree "
    "retract withdraw take_that take_this take_it off n't cannot violat fail sense was_ forg "
    "miss misread miscal overlook mixed messed skip "
    "should scratch strike ignore disregard never my_ i_am slip which_we but_it "
    "but_that but_this "
    "不对 错了 有误 算错 更正 漏 数错 看错 弄错",
)
# Directly behind an answer, in its sentence: "4 is wrong", "4 (this is too high)", "4? No".
_DENIED_BEHIND = re.compile(
    rf"{_WRAPPING}(?:(?:as|for)\s+the\s+answer\s+)?(?:(?:and\s+|but\s+)?{_THAT}\s*)?"
    rf"(?:would\s+be|is|are|was|were|must\s+be|can\s+be|could\s+be|should\s+be|seems|turns\s+out\s+to\s+be)"
    rf"{_HOW}\s+(?:{_NO_GOOD})"
    rf"|{_WRAPPING}(?:(?:and\s+|but\s+)?{_THAT}\s+)?{_FAILS}"
    rf"|{_WRAPPING}(?<=\()(?:incorrect|wrong|false|mistaken|rejected)(?!\w)"
    rf"|{_WRAPPING}(?:is\s+what\s+\w+(?:'d|\s+(?:would|might|could))|would\s[^.!?\n]{{1,60}}\sif)\s"
    rf"|{_WRAPPING}(?:[—–-]{{1,2}}\s?)?(?:nope(?!\w)|[❌✗✘])"
    rf"|{_WRAPPING}(?:是|就)?(?:错|不对|不正确)",
    re.IGNORECASE,
)
_ASKED = re.compile(r"[\s$*_\\)}\]\"'.°%]{0,8}[?？]")
_YES = re.compile(r"\W{0,4}(?:yes|yep|yeah|correct|right|indeed|exactly|是|对)\b", re.IGNORECASE)
# Before an answer, in its sentence: it is supposed, quoted, doubted or disowned.
_SUPPOSED = re.compile(
    r"(?<!\w)(?:(?:even\s+)?if|suppos(?:e|ing)|assum(?:e|ing)|let's\s+(?:say|suppose|assume)|let\s+us\s+(?:say|suppose)"
    r"|imagine|pretend|whether|unless)(?!\w)(?![^,]{0,200}(?:,|(?<!\w)then(?!\w)))"
    r"|(?:假设|如果|假如|若)(?!.{0,100}[，,那则])",
    re.IGNORECASE,
)
_UP_TO_IT = (
    r"(?:\s+(?:that|it|the|this|his|her|their|final|correct|is|an?|answer|should|be"
    r"|would)){0,6}[\s\\$(:\"']{0,8}$"
)
_QUOTED_PATTERN = (
    r"(?<!\w)(?:(?:one|you|some|people|students?|someone|somebody|many|he|she)\s+"
    r"(?:might|may|could|would)\s+(?:\w+\s+)?(?:think|say|believe|guess|argue|expect|assume)"
    r"|i\s+(?:first|initially|at\s+first)\s+(?:thought|guessed|said|got|had|believed|answered|assumed)"
    r"|my\s+(?:first|initial|original|earlier)\s+(?:\w+\s+)?(?:guess|answer|thought|idea|impression|attempt|estimate)"
    r"|(?:was|is|been)\s+(?:claimed|believed|alleged)|refuse\s+to\s+believe"
    r"|(?:can't|cannot|can\s+not|couldn't)\s+be\s+that|is(?:n't|\s+not)\s+so\s+that|untrue|doubtful"
    r"|rule\s+out\s+that|(?:wrong|a\s+mistake)\s+to\s+(?:say|claim|think|conclude)"
    r"|tempting|at\s+first\s+(?:glance|sight)|first\s+guess"
    r"|hard\s+to\s+(?:believe|imagine)|(?:nobody|no\s+one)\s+(?:would|could|can|says?|said|thinks?|claims?|believes?)"
    r"|i(?:'d|\s+would)?\s+(?:strongly\s+)?doubt|do(?:n't|\s+not)\s+(?:think|believe)"
    r"|not\s+(?:true|the\s+case|sure|certain|convinced)|false\s+that|no\s+way"
    r"|for\s+example|for\s+instance|e\.g\.)(?!\w)|有人|例如|不确定"
    r"|(?<!\w)(?:student|someone|somebody|friend|teacher|people|students|he|she|they|some|many)\s+"
    rf"(?:says?|said|thinks?|thought|claims?|claimed|believes?|believed|answered|answers?|guess(?:es|ed)?){_UP_TO_IT}"
)
_QUOTED_KEYS = (
    "think thought say said believe guess argue expect assume got had answer idea impression "
    "attempt estimate claim alleged tempting at_first first_guess hard_to nobody no_one doubt "
    "rule_out wrong_to mistake be_that so_that untrue refuse not_true not_the not_sure not_certain "
    "not_convinced false_that no_way example instance e.g. "
    "有人 例如 不确定"
)
_QUOTED = Phrase(_QUOTED_PATTERN, _QUOTED_KEYS)
_QUOTED_AT_ALL = Phrase(
    _QUOTED_PATTERN
    + r"|(?<!\w)(?:wrong|incorrect|mistaken|erroneous|naive|previous|earlier|initial)\s+"
    r"(?:\w+\s+)?(?:answer|result|solution|guess|response|attempt)(?!\w)",
    _QUOTED_KEYS + " wrong incorrect mistaken erroneous naive previous earlier initial",
)
_RELEASED = re.compile(
    r"(?<!\w)(?:but|however|yet|though|although|actually|instead|in\s+fact|therefore|thus|hence|so"
    r"|now\s+i)(?!\w)|但|所以|因此",
    re.IGNORECASE,
)
_DISOWNED_NOUN = re.compile(
    r"(?<!\w)(?:wrong|incorrect|false|mistaken|erroneous|naive|tempting|previous|earlier|initial"
    r"|preliminary|intuitive)\s+(?:\w+\s+)?(?:(?:answer|result|solution|value|guess|response)\s+(?:\w+\s+){0,2})?"
    r"[\\$(:*\s]{0,8}$",
    re.IGNORECASE,
)
NOT_BEFORE = Phrase(
    r"(?:(?<!\w)(?:not(?:\s+(?:necessarily|exactly|always|just|only|simply|be|equal\s+to))?|never|(?:isn't|aren't|wasn't|weren't)(?:\s+(?:exactly|necessarily|quite|really|just|only|even))?|all\s+but"
    r"|ain't|won't\s+be|hardly|barely|anything\s+but|nothing\s+like|far\s+from|nowhere\s+(?:near|close\s+to)|no\s+longer|neither|nor"
    r"|cannot\s+be|can't\s+be|couldn't\s+be|can\s+not\s+be|could\s+not\s+be|(?:but|and)\s+not|rather\s+than|instead\s+of"
    r"|(?<!none\s)other\s+than|different\s+from|unlikely(?:\s+to\s+be)?|impossible\s+to\s+be|doubt(?:ful)?"
    r"|unequal\s+to|almost|nearly|upwards?\s+of|short\s+of|(?:just|slightly|a\s+(?:bit|little))\s+(?:under|over)"
    r"|except(?:\s+for)?|excluding|no\s+(?:evidence|sign|trace)\s+of"
    r"|(?:not|(?:do|does|did)n't)\s+(?:actually\s+)?(?:contain|show|have|see|count|include|find|depict|equal|give|yield|produce|get)|(?:rul(?:e|es|ed|ing)\s+out|exclud(?:e|es|ed)|eliminat(?:e|es|ed)|reject(?:s|ed)?))\s{1,4}|不是|不可能是|并非|不等于"
    r"|不到|不足|超过|多于|少于|高于|低于|大于|小于|将近|几乎|接近|排除|没有)\s{0,4}[$*\\({\[]{0,4}$",
    "not n't never all_but hardly barely but far_from nowhere no_longer neither nor rather_than "
    "instead other_than different unlikely impossible doubt unequal almost nearly upward short_of "
    "under over except exclud no_evidence no_sign no_trace rul eliminat reject "
    "不 并非 超过 多于 少于 高于 低于 大于 小于 将近 几乎 接近 排除 没有",
)
_COUNTERFACTUAL = re.compile(
    r"(?<!\w)(?:would|could|might)\s+(?:have\s+been|be|equal|become|give)\s*[\\$(:*\s]{0,8}$",
    re.IGNORECASE,
)
_IF_BEHIND = re.compile(r"[^.!?\n,;]{0,60}(?<!\w)(?:if|had|were)(?!\w)", re.IGNORECASE)
_IF = re.compile(
    r"(?<!\w)(?:if|had|without|were\s+(?:we|it|the|\w+\s+(?:to|equal)))(?!\w)", re.IGNORECASE
)


def sentence_before(text: str, place: int) -> str:
    """The sentence that stands before a place, up to there."""
    start = max(0, place - _MAX_BEFORE)
    boundary = last_match(_SENTENCE_START, text, start, place)
    return text[boundary.end() if boundary else start : place]


def only_supposed(text: str, start: int, said: int, end: int) -> bool:
    """Whether a commitment's own sentence supposes, quotes, asks or denies it.

    Args:
        start: where the words that commit begin ("the answer is", a box).
        said: where the value begins, start again for a box.
        end: where the value ends.
    """
    before = sentence_before(text, start)
    if _DISOWNED_NOUN.search(before) or NOT_BEFORE.search(text[max(0, said - 40) : said]):
        return True
    if _SUPPOSED.search(before):
        return True
    quoted = _QUOTED.last(before)
    if quoted and not _RELEASED.search(before, quoted.end()):
        return True
    if _COUNTERFACTUAL.search(text[max(0, said - 40) : said]) and (
        _IF.search(before) or _IF_BEHIND.match(text, end)
    ):
        return True
    asked = _ASKED.match(text, end)
    if asked and not _YES.match(text, asked.end()):
        return True
    return _DENIED_BEHIND.match(text, end) is not None


# A sentence that denies, asks or quotes whatever number is in it.
DENYING = Phrase(
    rf"""
      (?<!\w)(?:is|are|was|were|would\s+be|must\s+be|can\s+be|could\s+be|should\s+be|seems?|be)
        {_HOW}\s+(?:clearly\s+)?{_NO_GOOD}(?!\s+(?:to|that\s+(?:there|it)\s+are\s+no)\b)
    | (?<!\w)(?:not\s+(?:necessarily|true|the\s+case)|false\s+that|(?:nobody
      |no\s+one)\s+(?:would|could|can|says?|said|thinks?|claims?)|doubt(?:\s+that|ful)
        |do(?:n't|\s+not)\s+(?:think|believe)|(?:was|is|been)\s+(?:claimed|said|alleged)
        |(?:someone|somebody|he|she|they|student|some|friend|teacher|people|students)\s+(?:claims?|claimed|says?|said|thinks?|thought)
        |(?:might|may|could)\s+(?:think|say|believe|seem)|seems?\s+(?:to\s+be\s+)?(?:like\s+)?[^.]{{1,80}},\s+but
        |seem\s+to\s+be|supposed\s+to\s+(?:be|have)|looks?\s+like\s+[^.]{{1,80}},\s+but|at\s+first\s+(?:glance|sight)|tempting)(?!\w)
    | (?<!\w)(?:is|are|remains?)\s+(?:unknown|unclear|uncertain|undetermined|unreadable
      |illegible)(?!\w)
    | (?<!\w)(?:supposedly|allegedly|used\s+to\s+be|(?:was|is|were|are)\s+(?:thought|believed
      |assumed)\s+to
        |by\s+no\s+means|in\s+no\s+(?:case|way)|under\s+no\s+circumstances?|rul(?:es?|ed|ing)\s+out|exclud(?:es?|ed|ing)
        |would\s+have\s+said|(?:am|i'm)\s+(?:not\s+(?:sure|certain|confident)|unsure|uncertain)|what\s+if
        |(?:whether|if)\s+the\s+answer|(?:could|might|may)\s+(?:also\s+|well\s+|perhaps\s+)?be
        |unlikely|out\s+of\s+the\s+question)(?!\w)
    | \d[\w%.]{{0,9}}\s+(?:{_FAILS})(?!\w)
    | (?<!\w)(?:(?:mistake|error|wrong|incorrect)\s+to\s+(?:say|claim|think|conclude)
      |there\s+should\s+have\s+been|hypothetically|in\s+(?:the|this|that)\s+(?:\w+\s+)?example
      |(?:people|students|many|some)\s+(?:answer|say|guess|claim)(?:ed)?)(?!\w)
    | (?:not|n't)\s+(?:clear|legible|readable|visible)(?!\w)
    | ^\W{{0,6}}(?:so\s+|now\s+)?(?:let(?:'s|\s+me|\s+us)\s+)?
      (?:try|test|see\s+(?:if|whether)|check\s+(?:if|whether))(?!\s+again)(?!\w)
    | \(\s*(?:incorrect|wrong|false)\s*\) | [✗✘❌]
    | (?<!\w)right\s*[?？]
    | [?？]\s*no(?!\w)
    | [?？]\s*$
    """,
    "wrong incorrect mistake false impossible absurd nonsense inconsistent invalid unreasonable "
    "not_ n't rule_out rules_out ruled ruling_out exclud extraneous spurious inadmissible reject "
    "discard eliminat refut out_of error typo count illusion trap contradict violat fail no_sense "
    "too_ off nobody no_one doubt said say claim alleged supposed_to supposedly think thought "
    "believed assumed guess people_answer students_answer many_answer some_answer might may_ could "
    "seem look at_first tempting hypothetically example there_should used_to no_means no_case "
    "no_way circumstance unsure uncertain if_the what_if whether_the unlikely unknown unclear "
    "undetermined unreadable illegible clear visible try test see_if see_whe check_if check_whe "
    "work ✗ ✘ ❌ ? ？",
)


# "3 is impossible, so it is 4": what stands behind the turn is claimed.
_TURN = re.compile(
    r"[,;]\s*(?:and\s+)?(?:so|therefore|thus|hence)(?!\s+that)(?!\w)(?=[^.!?]{0,80}\d)",
    re.IGNORECASE,
)
_CONTRAST = re.compile(r",\s+not\s+\S{1,20}\s+as\s[^.!?\n]{0,80}", re.IGNORECASE)
_WOULD = Phrase(r"(?<!\w)would(?!\w)|(?<=\w)'d\s+(?:have|be)(?!\w)", "would 'd_")


def claim(sentence: str) -> str:
    """What a sentence claims: "it is 4" of "3 is impossible, so it is 4"."""
    turn = last_match(_TURN, sentence)
    return sentence[turn.end() :] if turn else sentence


@lru_cache(maxsize=1024)  # a text of one sentence is looked at as a line and as a sentence
def says_nothing(sentence: str) -> bool:
    """Whether a sentence only supposes, quotes, asks or denies what it says."""
    sentence = _CONTRAST.sub("", sentence)
    if DENYING.search(claim(sentence)) or _SUPPOSED.match(sentence.lstrip()):
        return True
    if _WOULD.search(sentence) and _IF.search(sentence):
        return True
    quoted = _QUOTED_AT_ALL.last(sentence)
    return quoted is not None and not _RELEASED.search(sentence, quoted.end())


_CORRECTION = Phrase(
    r"""
      (?:(?<=[\s.,;:(!?—–\-~])|^)
      (?:i\s+mean(?:t)?(?:\s+to\s+say)?|or\s+rather|make\s+(?:that|it)|correction|corrected(?:\s+answer)?|edit|update
        |(?:(?:wait|actually|hmm+|oh|ah|oops|sorry|well|but)[\s,.!…—–-]{1,4}){0,3}(?:no|nope)(?=\s*[,.:;!—–-])
        |(?:but\s+)?wait(?=\s*[,.:;!…—–-])|oops|(?:my\s+)?apologies(?:\s+for\s+(?:\w+\s+){1,3}?(?:confusion|error|mistake|slip))?|rather(?=\s*,)
        |(?:revised|updated|amended|new|final\s+corrected)\s+(?:answer|value|count|result|total)(?=\s*[:=])
        |(?:but|however|so)?,?\s{0,3}(?=(?:it\s+should\s+(?:actually\s+)?(?:be|have\s+been)|the\s+(?:correct|right|actual|real|true)\s+\w{1,12}\s+(?:is|was|should|=))\s)
        |sorry(?=\s*[,.:;!—–-])|hmm+|actually(?=\s*[,:;]|\s+(?:it|that|the|-?\d|\$|\\))
        |(?:on|upon)\s+(?:second\s+thoughts?|reflection|closer\s+inspection)|instead|更正|不对|等等|应该是)
      (?:[\s,.:：;!…—–，。]|-(?!\d)){0,6}
      (?:(?:(?:wait|actually|hmm+|no|oops|sorry|rather)[\s,.!…—–-]{1,6}){1,3})?
      (?:let\s+me\s+(?:re-?\w+|double[-\s]?check|check|count|try)(?:\s+(?:that|this|it|again|once\s+more)){0,2}[\s,.:;!…-]{1,6})?
      (?:(?:so\s+)?(?:it|that|this|there|the\s+(?:correct\s+|right\s+|actual\s+|real\s+|true\s+|final\s+)?(?:answer|value|result|count|total|number))
        (?:'s|\s+(?:is|are|was|should\s+(?:actually\s+)?(?:be|have\s+been|read)|must\s+be|equals))\s{1,4}
        |答案?(?:应该?)?(?:是|为)|应该?(?:是|为))?
    """,
    "mean rather make correction corrected edit update no nope wait oops sorry hmm actually "
    "apologies revised updated amended new_ corrected should correct_ right_ actual_ real_ true_ "
    "second_thought reflection inspection instead 更正 不对 等等 应该是",
)


def corrections(text: str, start: int) -> list[int]:
    """Where the values stand that words of correction introduce, in order."""
    return [match.end() for match in _CORRECTION.all(text, start)][-40:]


# Words behind an answer after which it stands only if it is confirmed.
_RECONSIDERS = Phrase(
    r"(?:(?<=[\s.,;:(!?—–-])|^)(?:wait(?=\s*[,.:;!…—–-])|hmm+|hold\s+on|hang\s+on|oops|(?:on|at|upon)\s+(?:a\s+)?(?:second\s+(?:thoughts?|glance|look)|closer\s+\w+)|look(?:ing)?\s+(?:again|closer|more\s+closely)"
    r"|i\s+(?:now\s+|just\s+)?(?:realize|realise|notice)d?|(?:on|upon|after)\s+(?:re-?)?checking"
    r"|but\s+(?:that|this|it)(?:'s|\s+is|\s+was)\s+(?:only\s+|just\s+)?the\s+\w{1,15}\s+of"
    r"|not\s+so\s+fast|re-?(?:reading|counting|checking|examining|reviewing)|(?:correction|corrected|edit|update)(?=\s*:)"
    r"|not\s+[^\s,]{1,12},?\s+but|but\s+we\s+(?:still\s+|also\s+)?(?:need|have|must)(?:\s+\w+){0,2}\s+(?:add|subtract|multiply|divide|double|halve|account|include|exclude)"
    r"|let(?:'s|\s+me|\s+us)\s+(?:re-?count|re-?check|re-?consider|re-?think|re-?do|re-?compute|re-?calculate|re-?examine"
    r"|re-?read|re-?evaluate|re-?verify|redo|start\s+over|try\s+again|correct|fix)"
    r"|i(?:'m|\s+am)\s+not\s+(?:\w+\s+)?(?:sure|certain|confident)|i\s+should\s+(?:recount|recheck|reconsider)"
    r"|to\s+correct)(?!\w)|等等|等一下|重新|(?<=[。！？\n])不，",
    "look closer wait hmm hold_on hang_on oops second_ count check consider think so_fast correct "
    "edit update realize realise notice but_th but_it not_ but_we review 一下 不， "
    "re-do redo "
    "compute calculate "
    "examin read evaluate verify start_over try_again correct fix not_ should 等等 重新",
)
# Words behind an answer after which another value is a second answer.
_CHECKS = Phrase(
    r"(?:(?<=[\s.,;:(!?—–*-])|^)(?:let(?:'s|\s+me|\s+us)\s+(?:double[-\s]?check|check|verify|confirm|see)"
    r"|alternatively|(?:but\s+)?the\s+question\s+(?:asks|asked|wants)|is\s+also\s+(?:possible|valid|correct|right|a\s+(?:possible|valid))|are\s+also\s+(?:possible|valid|correct)"
    r"|(?:would|could|might|may)\s+also\s+(?:be|work)|also\s+(?:works|fits|possible)|another\s+(?:possible|valid|correct|plausible)"
    r"|(?:this|that|it|which)(?:\s+(?:answer|result|value|number|count|total))?\s+(?:only\s+|still\s+|just\s+)?"
    r"(?:assumed|ignores|ignored|leaves?\s+out|left\s+out|neglects|neglected|omits|omitted|forgets|forgot|misses|missed|overlooks|overlooked)"
    r"|come\s+to\s+think\s+of\s+it|in\s+(?:truth|reality)|well,?\s+(?:almost|nearly|not\s+quite)|or\s+is\s+it\s*\?"
    r"|it\s+(?:might|may|could)\s+be|but\s+(?:it|also)\s+(?:might|may|could)|if\s+not(?=\s+\d))(?!\w)"
    r"|让我检查|也可能",
    "assumed ignore leave_out leaves_out left_out neglect omit forget forgot misse overlook "
    "think_of truth reality almost nearly not_quite or_is_it question check verify confirm see "
    "alternatively also another might may could if_not 检查 也可能",
)
_CHECK = Phrase(
    r"(?:(?<=[.!?;\n])|(?<=[.!?;\n]\s))\W{0,6}(?:check|verification|verify(?:ing)?|proof)\b[*_]{0,3}\s*:",
    "check verif proof",
)
_CONFIRMS = re.compile(
    r"(?<!\w)(?:yes|yep|yeah|confirm(?:s|ed)?|(?:correct|right)(?!\s+\w{1,12}\s+(?:is|was|are|should|must)(?!\w))|checks?\s+out|match(?:es)?|consistent|holds|agrees?|works(?:\s+out)?"
    r"|verified|fine|valid|as\s+expected|stands|same\s+(?:answer|result|value)|satisf(?:y|ies|ied)|good)(?!\w)(?!\s*[?？])"
    r"|[✓✔✅☑]|正确|没错|成立|一致|符合",
    re.IGNORECASE,
)
_NOT_CONFIRMED = re.compile(
    r"(?:not|n't|never|in|hardly|isn't|also|far\s+from)\s{0,2}(?:\w+\s)?$", re.IGNORECASE
)


# A condition behind an answer: "4, provided that it is even".
_CONDITION_BEHIND = re.compile(
    r"[\s$*_)}.]{0,8},?\s{0,3}(?:(?:but\s+)?only\s+)?(?:if(?!\s+(?:not|needed|necessary|you\s+round|we\s+round|rounded))"
    r"|provided|assuming(?!\s+(?:that\s+)?the\s+(?:figure|picture))|unless|as\s+long\s+as|were\s|had\s|or\s+(?:it\s+)?would\b)(?!\w)",
    re.IGNORECASE,
)
_ONLY_IF = re.compile(
    r"[^.!?;\n=]{0,40}?(?<!\w)(?:if\s+(?:you|we|one)\s+(?:do\s+not\s+|don't\s+)?(?:count|include|exclude|ignore)"
    r"|assuming|provided|unless)(?!\w)",
    re.IGNORECASE,
)


def conditional(text: str, end: int, *, loosely: bool) -> bool:
    """Whether a condition stands behind an answer, or loosely behind it in its sentence."""
    if _CONDITION_BEHIND.match(text, end) and "." not in text[end : end + 2]:
        return True
    return loosely and _ONLY_IF.match(text, end) is not None


def reconsidered(text: str, start: int) -> int | None:
    """Where what stands behind an answer begins to think again; None where it does not."""
    match = _RECONSIDERS.search(text, start)
    return match.start() if match else None


def checked(text: str, start: int) -> int | None:
    """Where it begins to check, or to name a further answer."""
    match = _CHECKS.search(text, start)
    return match.start() if match else None


def without_check(text: str) -> str:
    """A text up to a last check of its answer that comes out: "x = 9. Check: 2·9 = 18 ✓"."""
    check = _CHECK.last(text)
    if check is None or not text[: check.start()].strip():
        return text
    return text[: check.start()] if confirmed(text, check.end()) else text


def confirmed(text: str, start: int) -> bool:
    """Whether what stands there says that the answer is right."""
    for match in _CONFIRMS.finditer(text, start):
        if not _NOT_CONFIRMED.search(text[max(0, match.start() - 24) : match.start()]):
            return True
    return False
