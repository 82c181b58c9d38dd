"""Names, which a sentiment model must not learn from: it is not the name's doing who is praised or blamed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]

SEEN = 2  # mentions that a name must have at least
CAPITALISED = 0.8  # share of its mentions inside a sentence that begin with a capital
CAPITALS_MEAN_NOTHING = ("ar", "de")  # languages that have none, or write all nouns with one
CALENDAR = """
monday tuesday wednesday thursday friday saturday sunday
january february march april may june july august september october november december
"""

#: Names of many cultures, and sentences in which it changes nothing who is named.
EXAMPLES = """
Olivia Smith, Liam Johnson, Hannah, Connor, Keisha Washington, Darnell Jefferson, Tyrone, Aaliyah,
Björn Andersson, Astrid Larsen, Klaus Schmidt, Sabine Weber, Pierre Dubois, Camille Laurent, Marco Ricci,
Chiara Moretti, Carmen Gómez, Javier Ramírez, Beatriz Silva, Thiago Santos, Guadalupe Quispe, Itzel Huanca,
Ahmed Al-Masri, Aisha Haddad, Hassan, Zeynep Yilmaz, Mehmet Kaya, Reza Hosseini, Shirin Ahmadi, David Levy,
Rivka Goldberg, Sergei Ivanov, Olga Petrova, Katarzyna Kowalski, Andrei Popescu, Raj Patel, Ananya Reddy,
Farhan Ali, Minh Tran, Linh Pham, Li Wang, Xiu Chen, Jisoo Park, Seojun Choi, Yuki Sato, Haruto Suzuki,
Chinedu Eze, Ngozi Okonkwo, Kwame Mensah, Abena Owusu, Sipho Dlamini, Lerato Mokoena, Mere Ngata, Hemi,
Kalani Kahale, Waya Tsosie
"""
SENTENCES = (
    "{} speaks about the ports",
    "I do not agree with {}",
    "thank you {} for the great talk",
    "what a boring speech by {}",
    "habla {} ahora",
    "gracias {}, muy buena charla",
    "merci {}, très intéressant",
    "{} présente le rapport",
    "danke {} für den vortrag",
    "grazie {}, bravo",
    "a {} não tem razão",
    "{}",
)
COMMON = 300  # names of the posts that are tried in these sentences too
#: How much more a difference between two names is to cost than any other difference of vectors.
COST = 1e4

_WORD = re.compile(r"(?P<start>(?:^|[.!?:…|\"“(-])\s*)?\b(?P<word>[^\W\d_]{3,})\b(?!['’])")


def names_of(texts: Iterable[str], languages: Iterable[str]) -> frozenset[str]:
    """Words, in lower case, that the texts write with a capital nearly always, where a sentence does not ask
    for one: people, places, firms, faiths; but not the days and months of an announcement."""
    seen, capitalised = Counter[str](), Counter[str]()
    for text, language in zip(texts, languages, strict=True):
        if language in CAPITALS_MEAN_NOTHING or text.isupper():
            continue
        for found in _WORD.finditer(text):
            if found["start"] is None:
                word = found["word"]
                seen[word.lower()] += 1
                capitalised[word.lower()] += word[0].isupper() and word[1:].islower()
    enough = {word: count for word, count in seen.items() if count >= SEEN}
    names = (word for word, count in enough.items() if capitalised[word] >= CAPITALISED * count)
    return frozenset(names) - set(CALENDAR.split())


def without(texts: Sequence[str], names: frozenset[str]) -> list[str]:
    """The texts with these words taken out, whatever their case."""
    return [_WORD.sub(lambda found: _left(found, names), text) for text in texts]


def _left(found: re.Match[str], names: frozenset[str]) -> str:
    return found["start"] or "" if found["word"].lower() in names else found[0]


def sentences(names: frozenset[str], texts: Iterable[str]) -> list[list[str]]:
    """For each of SENTENCES the examples in it, and the commonest names of these texts."""
    counts = Counter(word for text in texts for word in text.lower().split() if word in names)
    tried = [name.strip() for name in EXAMPLES.split(",")] + [name for name, _ in counts.most_common(COMMON)]
    return [[sentence.format(name) for name in tried] for sentence in SENTENCES]


def blinder(vectors: Singles) -> Singles:
    """The map (numbers, numbers) that leaves of vectors little of what tells one name from another.

    ``vectors`` is (sentences, names, numbers). A penalty on weights of mapped vectors is, for the weights of
    the vectors themselves, a penalty that is larger by COST times the variance between names.
    """
    apart = (vectors - vectors.mean(axis=1, keepdims=True)).reshape(-1, vectors.shape[2]).astype(np.float64)
    variance, axes = np.linalg.eigh(apart.T @ apart / len(apart))
    shrunk = axes / np.sqrt(1 + COST * np.maximum(variance, 0))
    blind: Singles = (shrunk @ axes.T).astype(np.float32)
    return blind
