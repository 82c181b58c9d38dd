"""What shows that a post asks something: signs that mean the same in every language.

A sign is an abstraction ("the sentence before the mark opens with a question word"), so that weights learned
on English posts hold for others too. One pattern knows the words of all languages at once: on a post of
four words the language is a guess, and a wrong guess must not hide a question.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from itertools import islice, takewhile
from pathlib import Path

from analysis import linear_model
from analysis.linear_model import LinearModel, Sign
from analysis.texts import Reading
from data import shipped

MODEL = shipped("models", "questions.json")
#: Sentences of a post that are looked at, and characters of each.
SENTENCES = 20
SENTENCE = 400
#: The value of a sign so rare and so plain that a few examples must be enough to learn its weight.
PLAIN = 5.0


def _any_of(*words: str) -> str:
    return "(?:" + "|".join(words) + ")"


def _pattern(*words: str, before: str = r"(?<!\w)", after: str = r"(?!\w)") -> re.Pattern[str]:
    return re.compile(before + _any_of(*words) + after, re.IGNORECASE)


_MARK = re.compile(r"[?？؟](?:[?？؟!¡\s]*[?？؟!])?")
_MARKS = "?？؟"
_ENDS = re.compile(r"[.!…?？؟\n]+(?=\s|\Z)|[؟\n]|[:;](?=\s)")
_STOPS = re.compile(r"[.!…?؟]+\s|[؟\n]")
_WORDS = re.compile(r"\w+(?:['’\-]\w+)*")
_AROUND = re.compile(r"(?:[#@]\w[\w.@-]*:?|(?:https?://|www\.)\S*)?")

_ASIDE = _any_of(
    r"and|but|so|then|ok|okay|hey|hi|hello|well|also|lol|oh|omg|wow|wait|thanks|now|sorry",
    r"y|pero|entonces|oye|hola|gracias|bueno|et|mais|alors|bonjour|merci|donc|und|aber|hallo|danke",
    r"e|ma|allora|ciao|grazie|mas|então|olá|obrigad[oa]|و|لكن|إذن|طيب",
)
_VERB = _any_of(
    r"(?:is|are|was|were|am|do|does|did|can|could|will|would|should|shall|has|have|had|may|might)(?:n['’]?t)?",
    r"wont|hay|pued[eo]\w*|podr[ií]a\w*|podemos|est[aá]n?|existen?|tiene[ns]?|ser[aá]n?|habr[aá]",
    r"est-ce|\w+-(?:t-)?(?:il|elle|on|ils|elles|vous|nous|tu|je|ce)|y\s+a-t-il",
    r"ist|sind|gibt|hat|haben|habt|kann|k[oö]nn\w+|wird|werden|wurden?|soll\w*|darf|d[uü]rfen|muss|m[uü]ssen",
    r"stimmt|è|sono|c['’]è|ci\s+sono|si\s+può|posso|possiamo|avete|é|são|há|t[eê]m|podem?|هل",
)
_WORD_OF_QUESTION = {
    "what if": r"(?:what|how)\s+(?:if|about)|y\s+si|et\s+si|was\s+(?:ist|wäre)\s+(?:mit|wenn)|und\s+wenn"
    r"|e\s+se|و?ماذا\s+(?:عن|لو)",
    "how many": r"how\s+(?:much|many|often|long|far|big|old)|cu[aá]nt[oa]s?|combien|wie\s?viele?"
    r"|quant[oaie]s?|كم",
    "what": r"what(?:['’]?s|['’]re|['’]d|['’]ll)?|wtf|qu[eé]|qu['’]\w+|quoi|was|che|cosa|o\s+que|ما(?:ذا)?",
    "why": r"why|por\s?qu[eéê]|pq|pourquoi|warum|wieso|weshalb|perch[eé]|لماذا|لم",
    "how": r"how(?:['’]?s|['’]d)?|c[oó]mo|comment|wie|come|كيف",
    "when or where": r"whe(?:n|re)(?:['’]?s)?|cu[aá]ndo|a?d[oó]nde|quand|où|wann|wo(?:her|hin)?|quando"
    r"|dov['’e]\w*|onde|متى|أين|اين",
    "who": r"who(?:['’]?s|se|m)?|a?\s?qui[eé]n(?:es)?|qui|we[rnm]|wessen|chi|quem|من",
    "which": r"which|cu[aá]l(?:es)?|(?:l[ea]s?|du)?quel(?:le)?s?|welche[rsnm]?|qual['e]?|quali|quais|أي|اي",
}
_OPENS = {
    "yes or no": r"(?:is\s+there\s+)?any(?:one|body)|some(?:one|body)|alguien|alguno|quelqu['’]un|jemand"
    rf"|qualcuno|algu[eé]m|أحد|{_VERB}",
}
_OPENING = re.compile(
    rf"[\W_]*(?:{_ASIDE}\b[\W_]*){{0,3}}"
    + _any_of(*(f"(?P<{k.replace(' ', '_')}>{words})" for k, words in (_WORD_OF_QUESTION | _OPENS).items()))
    + r"(?!\w)",
    re.IGNORECASE,
)
_VERB_FOLLOWS = re.compile(rf"\s+{_VERB}(?!\w)", re.IGNORECASE)
_INSIDE = _pattern(
    r"what|why|how|when|where|who|whose|which|qu[eé]|por\s?qu[eé]|c[oó]mo|cu[aá]ndo|d[oó]nde|qui[eé]n|cu[aá]l",
    r"pourquoi|comment|quand|où|quel(?:le)?s?|combien|warum|wie|wann|wo|wer|welche\w?|perch[eé]|quando|dove",
    r"quale|onde|quem|qual|\w+-(?:t-)?(?:il|elle|on|ils|elles|vous|nous|tu)|لماذا|كيف|متى|أين|كم",
)
_YOU = _pattern(
    r"you|u|ya|your|ur|usted(?:es)?|t[uú]|vosotros|vous|votre|vos|ihr|sie|euch|voi|vostr\w|vocês?",
)
_I = _pattern(r"i|i'm|im|me|my|we|our|us")
_OR = _pattern(r"or|o|ou|oder|أم|او|أو")
_TAG = re.compile(
    r",\s*(?:(?:right|eh|no|huh|yes|ok|verdad|cierto|n['’]est-ce\s+pas|hein|oder|nicht|gell|vero|né|não\s+é|certo"
    r"|¿no)\W*|\w+n['’]t\s+(?:it|they|he|she|we)\W*)[?؟？]",
    re.IGNORECASE,
)
_PLEASE = _pattern(
    r"pl+e+a+s+e+|pl[sz]+|kindly|por\s+fav(?:or)?|porfa|svp|s['’]il\s+(?:vous|te)\s+pla[iî]t|merci\s+de|bitte",
    r"per\s+(?:favore|piacere)|من\s+فضلك\w*|رجاء",
)
_CAN_YOU = _pattern(
    _any_of(
        r"(?:can|could|would|will)\s+(?:you|u|someone|somebody|anyone|we|everyone|the\s+(?:speaker|chair))",
        r"pued(?:es?|en)|podr[ií]as?|podr[ií]an|podéis|(?:pouvez|pourriez|peux|pourrais)[-\s](?:vous|tu)",
        r"k[oö]nn\w+\s+(?:sie|ihr|wir)(?:\s+\w+){0,4}|pot(?:ete|reste)|pode(?:m|ria|riam)?|(?:هل\s+)?يمكن(?:كم|ك)?",
    )
    + r"\s+(?:\w+\s+){0,2}?"
    + _any_of(
        r"please|pls|kindly|share|send|post|upload|repeat|speak|turn|mute|unmute|retweet|follow|join|vote|fix|move",
        r"stop|put|make|slow|zoom|show|say|give|help|add|reply|publish|wish|open|close|switch|sign|retry|restart|mind|go|come|hold",
        r"por|compartir|enviar|mandar|repetir|subir|hablar|publicar|poner|mostrar|bajar|quitar|cerrar|firmar|acercar|pasar",
        r"partager|remettre|envoyer|répéter|parler|publier|mettre|montrer|poster|monter|baisser|fermer|couper|signer",
        r"bitte|teilen|schicken|senden|wiederholen|zeigen|veröffentlichen|condividere|mandare|ripetere|alzare",
        r"pubblicare|parlare|chiudere|compartilhar|partilhar|falar|aumentar|fechar|مشاركة|رفع|نشر|إعادة",
    ),
)
#: "Can you tell us when" asks.
_TELL = _pattern(r"tell|let\s+(?:us|me)\s+know|dec\w+nos|decir\w*|dire|sagen|dirmi|dizer")
_RHETORIC = re.compile(
    r"[\W_]*(?:(?:and|but|so|y|pero|et|mais|und|aber|e|mas|ma|و)\s+)?"
    + _any_of(
        r"(?:seriously|really|why\s+not|en\s+serio|por\s+qué\s+no|sérieusement|vraiment|pourquoi\s+pas|ah\s+bon"
        r"|im\s+ernst|wirklich|echt\s+jetzt|warum\s+nicht|sul\s+serio|davvero|perché\s+no|a\s+sério|sério"
        r"|por\s+que\s+não|حقا|معقول|لم\s+لا)\s*[?؟？]",
        r"(?:who\s+(?:cares|knew|does\s?n[o’']t\s+love|would\s+have|would['’]ve)|guess\s+what|are\s+you\s+(?:kidding|serious)"
        r"|what\s+could\s+go\s+wrong|you\s+know\s+what|qui[eé]n\s+(?:lo\s+)?(?:dir[ií]a|iba\s+a)"
        r"|a\s+qui[eé]n\s+le\s+importa|qui\s+l['’]e[uû]t|qui\s+s['’]en\s+soucie|qui\s+aurait\s+cru|wer\s+h[aä]tte"
        r"|wen\s+(?:kümmert|interessiert)|chi\s+l['’]avrebbe|a\s+chi\s+importa|quem\s+diria|quem\s+se\s+importa"
        r"|من\s+كان\s+يظن|من\s+يهتم)(?!\w)",
    ),
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[?؟？]\s*[\"“”»]")
_WONDER = _pattern(
    r"(?:i\s+wonder|wondering|curious)\s+(?:if|whether|how|why|what|when|where|who|which)",
    r"(?:i['’]?d|would)\s+(?:like|love)\s+to\s+know|me\s+pregunto|(?:quisiera|me\s+gustaría)\s+saber",
    r"je\s+me\s+demande|j['’]aimerais\s+savoir|ich\s+frage\s+mich|mich\s+würde\s+interessieren|mi\s+chiedo",
    r"vorrei\s+sapere|pergunto-me|gostaria\s+de\s+saber|أتساءل|أود\s+أن\s+أعرف",
)
_LABEL = re.compile(
    r"(?<!\w)(?:questions?|preguntas?|frage|domanda|pergunta|سؤال)"
    r"(?:\s+(?:for|to|para|al?|pour|an|ans|per|au|aux|للم)\w*[^:?\n]{0,40})?\s?:",
    re.IGNORECASE,
)
_SUBJECT = r"(?:i|you|u|we|they|there|it|he|she|anyone|anybody|someone)"
_NOUN = r"(?:the|this|that|these|those|a|an|our|your)"
#: How a question without a mark may open.
_UNMARKED = re.compile(
    r"[\W_]*(?:(?:and|but|so|y|et|und|e|mais)\s+)?"
    + _any_of(
        r"(?P<question_word_and_verb>"
        r"(?:what|where|when|why|how|who|which)(?:['’]?s|['’]re)?\s+(?:is|are|was|were|do|does|did|can|could|will"
        r"|would|should|has|have|many|much|about|if|often|long|time)\b|whats|wheres|hows|whos"
        r"|(?:a\s+qué|en\s+qué|qué|cada\s+cuánto)\s+(?:es|son|hay|hace|hacen|pasa|pasó|significa|se|va|van|puede\w*"
        r"|podemos|deben?|hora|sala)\b"
        r"|qu['’]est-ce|qu['’]\w+-on\b|quel(?:le)?s?\s+(?:est|sont)\b|où\s+(?:est|sont|peut)\b|combien\s+de\b"
        r"|qui\s+(?:sait|conna[iî]t)\b|à\s+quelle?s?\s+\w+"
        r"|(?:was|wer|wie|wo|wann|warum|wieso|welche\w?)\s+(?:ist|sind|hat|haben|kann|macht|wird|soll|gibt|machen)\b"
        r"|(?:perché|quando|dove|come|cosa)\s+(?:è|sono|si|ha|hanno|fa|fanno|non)\b"
        r"|(?:por\s+que|quando|onde|como|quanto|qual)\s+(?:é|são|se|tem|vai|vão|está)\b|هل\b|متى\b|أين\b|كم\b)",
        rf"(?P<verb_first>(?:do|does|did|are|has|have|can|could|would|should|will)\s+{_SUBJECT}\b"
        r"|is\s+(?:there|it|anyone|anybody)\b|any\s?(?:one|body)\b|any\s+(?:news|idea|chance|plans?)\b|alguien\b"
        r"|est-ce\b|\w+-(?:t-)?(?:il|elle|on|vous|tu)\b|qu?elqu['’]un\b|y\s+a-t-il|gibt\s+es\b"
        r"|(?:hat|weiß|kann)\s+jemand\b|kann\s+man\b|qualcuno\b|algu[eé]m\b)",
        rf"(?P<verb_and_noun>(?:is|are|was|were|does|do|did|has|have|can|could|should|will|would)\s+{_NOUN}\b)",
        r"(?P<question_word>(?:por\s+qué|qué|cómo|cuándo|dónde|quién|quiénes|cuál|cuáles|cuánt[oa]s?"
        r"|why\s+(?:so|not)|how\s+come|what['’]?s|pourquoi|comment|warum|perch[eé]|por\s+que|لماذا|كيف|ماذا)\b)",
    ),
    re.IGNORECASE,
)


def load(path: Path = MODEL) -> LinearModel:
    """The shipped model, read once. Raises ModelError."""
    return _load(path)


@cache
def _load(path: Path) -> LinearModel:
    return linear_model.load(path, "question")


def kind_of_question(text: str) -> str | None:
    """What a question asks for (``who``, ``how many``, ``yes or no`` …); None where no opening tells."""
    mark = _MARK.search(text)
    opening = _OPENING.match(text, _start(text, mark.start()) if mark else 0)
    return opening.lastgroup.replace("_", " ") if opening and opening.lastgroup else None


def signs_of_post(post: str, reading: Reading) -> list[Sign]:
    """The signs in a post, hashtags and links at its end left out; spans are of the reading text."""
    return signs(reading.text[: _end(post, reading)], headless=post.lstrip()[:1] in ("#", "@"))


def signs(text: str, *, headless: bool = False) -> list[Sign]:
    """The signs in a text; ``headless`` where a hashtag or a name before it may be its subject."""
    marks = list(islice(_MARK.finditer(text), SENTENCES))
    found = list(_asked(text, marks) if marks else _unmarked(text, headless))
    if label := _LABEL.search(text):
        found.append(Sign("label", PLAIN, *label.span()))
    return found


def _end(post: str, reading: Reading) -> int:
    """Where the hashtags, links and mentions at the end of a post begin, in its reading text."""
    if not reading.ends:
        return 0
    end = reading.ends[-1]
    words = post[:end].split(" ")
    at = end - sum(len(word) + 1 for word in takewhile(_AROUND.fullmatch, reversed(words)))
    piece = bisect_right(reading.begins, at) - 1
    if at <= 0 or piece < 0:
        return len(reading.text)
    starts = (*reading.starts, len(reading.text))
    return min(starts[piece] + at - reading.begins[piece], starts[piece + 1])


def _asked(text: str, marks: list[re.Match[str]]) -> Iterator[Sign]:
    """Signs around the marks: what kind of sentence stands before the last one counts most."""
    first, last = marks[0], marks[-1]
    start = _start(text, last.start())
    after = len(_WORDS.findall(text, last.end()))
    yield Sign("question mark", 1.0, *last.span())
    yield Sign("length of the post", min(len(_WORDS.findall(text)), 40) / 20, 0, len(text))
    if after:
        yield Sign("words after the mark", min(after, 20) / 10, last.end(), len(text))
    if other := _no_question(text, _start(text, first.start()), start, last):
        yield other
        return
    before = len(_STOPS.findall(text, 0, last.start()))
    if before:
        yield Sign("sentences before", float(min(before, 3)), start, last.end())
    if len(marks) > 1:
        yield Sign("several marks", float(min(len(marks), 3) - 1), *first.span())
    if len(last[0]) > 1:
        yield Sign("repeated mark", 1.0, *last.span())
    if not after:
        yield Sign("ends with the mark", 1.0, *last.span())
    if not after and not before:
        yield Sign("only sentence", 1.0, start, last.end())
    yield from _sentence(text, start, last.start())


def _no_question(text: str, first: int, start: int, mark: re.Match[str]) -> Sign | None:
    """What the sentence between ``start`` and the mark is, if it only looks like a question.

    ``first`` is where the first sentence with a mark begins.
    """
    if hit := _QUOTED.match(text, mark.start()):
        return Sign("quoted", PLAIN, *hit.span())
    if hit := _rhetorical(text, first, start):
        return Sign("rhetorical", PLAIN, *hit.span())
    if hit := _TAG.search(text, start, mark.end()):
        return Sign("tag", PLAIN, *hit.span())
    hit = _CAN_YOU.search(text, start, mark.start()) or _PLEASE.search(text, start, mark.start())
    if hit and not _TELL.search(text, start, mark.start()):
        return Sign("request", PLAIN, *hit.span())
    return None


def _rhetorical(text: str, first: int, last: int) -> re.Match[str] | None:
    """ "Really?" alone asks, and so does what follows it if it opens like a question."""
    if hit := _RHETORIC.match(text, last):
        return None if hit[0][-1] in _MARKS and first == last and not text[hit.end() :].strip() else hit
    if first < last and not _OPENING.match(text, last):
        return _RHETORIC.match(text, first)
    return None


def _sentence(text: str, start: int, end: int) -> Iterator[Sign]:
    opening = _OPENING.match(text, start, end)
    if opening and opening.lastgroup:
        span = opening.span(opening.lastgroup)
        if opening.lastgroup == "yes_or_no":
            yield Sign("opens with a verb", 1.0, *span)
        else:
            yield Sign("opens with a question word", 1.0, *span)
            if follows := _VERB_FOLLOWS.match(text, span[1], end):
                yield Sign("question word and verb", 1.0, span[0], follows.end())
    elif inside := _INSIDE.search(text, start, end):
        yield Sign("question word inside", 1.0, *inside.span())
    yield Sign("words", min(len(_WORDS.findall(text, start, end)), 20) / 10, start, end)
    for name, pattern in (("addressed", _YOU), ("of oneself", _I), ("alternative", _OR)):
        if hit := pattern.search(text, start, end):
            yield Sign(name, 1.0, *hit.span())


def _unmarked(text: str, headless: bool) -> Iterator[Sign]:
    """Signs of a text without a question mark: it may open like a question all the same."""
    if hit := _WONDER.search(text):
        yield Sign("indirect question", PLAIN, *hit.span())
        return
    found = [sign for start, end in _sentences(text) for sign in _opened(text, start, end, headless)]
    yield from found or [Sign("no mark", 1.0, 0, len(text))]
    yield Sign("no mark: length", min(len(_WORDS.findall(text)), 40) / 20, 0, len(text))


def _opened(text: str, start: int, end: int, headless: bool) -> Iterator[Sign]:
    hit = _UNMARKED.match(text, start, end)
    if not hit or not hit.lastgroup or text[start:end].rstrip().endswith("!"):
        return
    if headless and not start and hit.lastgroup == "verb_and_noun":
        return
    if _CAN_YOU.search(text, start, end) or _PLEASE.search(text, start, end):
        return
    yield Sign(f"no mark: {hit.lastgroup.replace('_', ' ')}", PLAIN, *hit.span(hit.lastgroup))
    if text[:start].strip():
        yield Sign("no mark: not the first sentence", 1.0, *hit.span(hit.lastgroup))
    if you := _YOU.search(text, start, end):
        yield Sign("no mark: addressed", 1.0, *you.span())


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for border in islice(_ENDS.finditer(text), SENTENCES):
        yield start, border.end()
        start = border.end()
    if start < len(text):
        yield start, min(len(text), start + SENTENCE)


def _start(text: str, end: int) -> int:
    """Where the sentence begins that ends here, as far as it is looked at."""
    start = max(0, end - SENTENCE)
    for border in _ENDS.finditer(text, start, end):
        start = border.end()
    return start
