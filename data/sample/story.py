"""Who writes what, and when: the whole discussion, before it takes the form of any network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from data.sample import phrases
from data.sample.people import Person
from data.sample.phrases import Line
from data.sample.schedule import FIRST_DAY, LISTENING_FROM, Moment, Slot, agenda, arrivals, slot_at

HASHTAG = "eleaders2012"
LIMIT = 140  # characters of a post on X, in 2012
_EXTRA_TAGS = {
    "defragment": {"en": ("egov", "interop"), "es": ("egob", "ventanillaunica"), "fr": ("egouv",)},
    "agility": {"en": ("gov20", "agile"), "es": ("gob20", "agilidad"), "fr": ("innovation",)},
    "open-data": {"en": ("opendata", "opengov"), "es": ("datosabiertos",), "fr": ("opendata",)},
}
#: Topics of a moment: nobody makes the same remark about the coffee for two days.
_SMALL_TALK = frozenset({"arrival", "late", "pause", "night", "farewell"})
_MOODS = ("positive", "neutral", "negative", "question", "link")
_MOOD_WEIGHTS = (27, 22, 20, 16, 15)


@dataclass(eq=False, slots=True)
class Draft:
    """A post in the making. ``text`` is complete, with link and hashtags, but without a mention in front."""

    network: str  # x | mastodon | bluesky | zoom
    author: Person
    at: datetime
    text: str
    language: str
    theme: str | None = None
    sentiment: str = "neutral"
    question: bool = False
    url: str | None = None
    parent: Draft | None = None
    repost_of: Draft | None = None
    id: str = ""
    edited_at: datetime | None = None
    edited_text: str | None = None
    edited_id: str | None = None
    seen_at: datetime | None = None
    deleted_at: datetime | None = None
    pull: float = field(default=1.0)  # how likely others are to pass it on


class Story:
    """Collects drafts; keeps the random numbers, the people and what was already said."""

    def __init__(self, rng: Random, people: list[Person]) -> None:
        self.rng = rng
        self.slots = agenda()
        self.regulars = [person for person in people if person.weight]
        self.once = [person for person in people if person.once]
        self.bot = next(person for person in people if person.bot)
        self.drafts: list[Draft] = []
        self._said: set[str] = set()
        self._used: Counter[str] = Counter()
        rng.shuffle(self.once)

    def tell(self) -> list[Draft]:
        """The whole discussion, in no particular order."""
        for slot in self.slots:
            for moment in slot.moments:
                self.drafts += self._quotes(moment)
        for at in arrivals(self.rng, self.slots):
            self.drafts += self._remark(at)
        self.drafts += [message for slot in self.slots if slot.speakers for message in self._chat(slot)]
        self.drafts += self._answers()
        self.drafts += self._reposts()
        return self.drafts

    # -- what is written ---------------------------------------------------------------------------

    def _quotes(self, moment: Moment) -> Iterator[Draft]:
        for _ in range(self.rng.randrange(5, 13)):
            person = self._somebody()
            language = self._language(person)
            mood = self.rng.choices(phrases.SENTIMENTS, (28, 60, 12))[0]
            slots = {"speaker": moment.speaker, "claim": moment.claims[language]}
            at = moment.at + timedelta(seconds=20 + self.rng.expovariate(1 / 110))
            draft = self._write(person, at, language, ("quote", mood), moment.theme or None, slots)
            if draft:
                draft.pull *= 1.6
                yield draft

    def _remark(self, at: datetime) -> Iterator[Draft]:
        person = self.once.pop() if self.once and self.rng.random() < 0.05 else self._somebody()
        slot = slot_at(self.slots, at)
        topic, theme = self._topic(slot, at)
        mood = self.rng.choices(_MOODS, _MOOD_WEIGHTS)[0]
        draft = self._write(person, at, self._language(person), (topic, mood), theme)
        if draft:
            yield draft

    def _chat(self, slot: Slot) -> Iterator[Draft]:
        attendants = [person for person in self.regulars if "zoom" in person.networks]
        before: list[Draft] = []
        at = slot.starts.astimezone(UTC) + timedelta(seconds=self.rng.expovariate(1 / 100))
        while at < slot.really_ends:
            person = self.rng.choice(attendants[:45])
            theme = self.rng.choice(slot.themes) if slot.themes and self.rng.random() < 0.6 else None
            mood = self.rng.choices(_MOODS, (24, 26, 16, 32, 2))[0]
            topic = theme or self.rng.choice(("chat", "chat", "general"))
            language = self._language(person)
            answered = before[-1] if before and self.rng.random() < 0.18 else None
            if answered and answered.author is not person:
                topic, mood, theme, language = "general", "reply", None, answered.language
            else:
                answered = None
            line = phrases.say(self.rng, language, topic, mood, self._slots(at, language))
            if line and (answered or line.text not in self._said):
                self._said.add(line.text)
                draft = Draft("zoom", person, at, line.text, language, theme, line.sentiment, line.question)
                draft.parent = answered
                before.append(draft)
                yield draft
            at += timedelta(seconds=self.rng.expovariate(1 / 108))

    def _answers(self) -> Iterator[Draft]:
        for parent in [draft for draft in self.drafts if draft.network != "zoom"]:
            chance = self.rng.random()
            if chance < 0.1:
                yield from self._thread(parent)
            elif chance < (0.34 if parent.question else 0.18):
                yield from self._answer(parent)

    def _thread(self, parent: Draft) -> Iterator[Draft]:
        at = parent.at + timedelta(seconds=40 + self.rng.expovariate(1 / 120))
        topic = parent.theme or "general"
        draft = self._write(parent.author, at, parent.language, (topic, "thread"), parent.theme, to=parent)
        if draft:
            yield draft

    def _answer(self, parent: Draft) -> Iterator[Draft]:
        people = [person for person in self.regulars if parent.network in person.networks]
        person = self.rng.choices(people, [person.weight for person in people])[0]
        if person is parent.author:
            return
        at = parent.at + timedelta(seconds=45 + self.rng.lognormvariate(5.2, 1.0))
        if parent.theme and self.rng.random() < 0.45:
            topic, mood, theme = parent.theme, "reply", parent.theme
        elif self.rng.random() < 0.25:
            topic, mood, theme = "general", "reply", None
        else:
            topic, mood, theme = "reply", self.rng.choices(_MOODS[:4], (40, 25, 20, 15))[0], None
        draft = self._write(person, at, parent.language, (topic, mood), theme, to=parent)
        if draft:
            yield draft

    # -- what is passed on -------------------------------------------------------------------------

    def _reposts(self) -> Iterator[Draft]:
        originals = [draft for draft in self.drafts if draft.network == "x" and not draft.parent]
        weights = [draft.pull for draft in originals]
        wanted = int(1.12 * sum(draft.network == "x" for draft in self.drafts))
        done: set[tuple[str, int]] = set()
        while wanted:
            original = self.rng.choices(originals, weights)[0]
            person = self.once.pop() if self.once and self.rng.random() < 0.3 else self._somebody()
            at = original.at + timedelta(seconds=15 + self.rng.lognormvariate(5.3, 1.35))
            strange = original.language not in person.languages and self.rng.random() > 0.3
            local = at.astimezone(LISTENING_FROM.tzinfo)
            if (
                person is original.author
                or (person.handle, id(original)) in done
                or (strange and not person.once)
                or 1 <= local.hour < 6
            ):
                continue
            done.add((person.handle, id(original)))
            wanted -= 1
            yield self._repost(person, at, original)
        for original in originals[::9]:
            yield self._repost(self.bot, original.at + timedelta(seconds=self.rng.uniform(3, 25)), original)

    def _repost(self, person: Person, at: datetime, original: Draft) -> Draft:
        text = f"RT @{original.author.handle}: {original.text}"
        text = text if len(text) <= LIMIT else text[: LIMIT - 1] + "…"
        return Draft("x", person, at, text, original.language, repost_of=original)

    # -- how it is written -------------------------------------------------------------------------

    def _write(
        self,
        person: Person,
        at: datetime,
        language: str,
        topic_mood: tuple[str, str],
        theme: str | None,
        slots: dict[str, str] | None = None,
        *,
        to: Draft | None = None,
    ) -> Draft | None:
        """A draft that fits and has not been said before; None after some tries."""
        topic, mood = topic_mood
        network = to.network if to else self._network(person)
        lead = len(to.author.handle) + 2 if to else 0
        for _ in range(12):
            line = phrases.say(
                self.rng, language, topic, mood, {**self._slots(at, language), **(slots or {})}
            )
            if line is None:
                mood = "neutral" if topic != "reply" else "positive"
                continue
            if self._used[line.template] >= 4 and topic in _SMALL_TALK:
                continue
            url = self._url(line, topic)
            text = self._tagged(line, language, theme, url)
            if lead + len(text) <= LIMIT and (to or line.text not in self._said):
                self._said.add(line.text)
                self._used[line.template] += 1
                draft = Draft(
                    network, person, at, text, language, theme, line.sentiment, line.question, url, to
                )
                draft.pull = self.rng.paretovariate(1.3) * (1.5 if url else 1.0)
                return draft
        return None

    def _tagged(self, line: Line, language: str, theme: str | None, url: str | None) -> str:
        tag = HASHTAG if self.rng.random() < 0.8 else "ELeaders2012"
        parts = [line.text, *([url] if url else []), f"#{tag}"]
        if theme and self.rng.random() < 0.2:
            parts.append(f"#{self.rng.choice(_EXTRA_TAGS[theme][language])}")
        return " ".join(parts)

    def _url(self, line: Line, topic: str) -> str | None:
        fitting = topic in (*phrases.THEMES, "quote") and not line.question
        if not (line.link or (fitting and self.rng.random() < 0.27)):
            return None
        letters = "abcdefghjkmnpqrstuvwxyz23456789"
        return "http://example.org/" + "".join(self.rng.choice(letters) for _ in range(5))

    def _topic(self, slot: Slot | None, at: datetime) -> tuple[str, str | None]:
        """What is talked about at a moment, and the theme that it belongs to."""
        chance = self.rng.random()
        if slot is None:
            return self._topic_outside(at, chance)
        if slot.is_break:
            themes = self._themes_before(slot)
            theme = self.rng.choice(themes) if themes and chance < 0.45 else None
            return theme or ("pause" if chance < 0.85 else "general"), theme
        if at >= slot.ends and chance < 0.6:
            return "late", None
        if not slot.themes or chance < 0.22:
            return "general", None
        theme = self.rng.choice(slot.themes) if chance < 0.92 else self.rng.choice(phrases.THEMES)
        return theme, theme

    def _topic_outside(self, at: datetime, chance: float) -> tuple[str, str | None]:
        if at < FIRST_DAY + timedelta(hours=9):
            return ("arrival" if chance < 0.85 else "general"), None
        if at > FIRST_DAY + timedelta(days=1, hours=17):
            return ("farewell", None) if chance < 0.6 else (phrases.THEMES[int(chance * 100) % 3],) * 2
        if chance < 0.4:
            return "night", None
        theme = phrases.THEMES[int(chance * 1000) % 3] if chance > 0.6 else None
        return theme or "general", theme

    def _themes_before(self, pause: Slot) -> tuple[str, ...]:
        return next((slot.themes for slot in reversed(self.slots) if slot.ends == pause.starts), ())

    def _slots(self, at: datetime, language: str) -> dict[str, str]:
        """The session that people think of at a moment, and one of its speakers."""
        begun = [slot for slot in self.slots if slot.speakers and slot.starts <= at]
        slot = begun[-1] if begun else self.slots[0]
        return {"speaker": self.rng.choice(slot.speakers), "session": slot.titles[language], "claim": ""}

    def _somebody(self) -> Person:
        return self.rng.choices(self.regulars, [person.weight for person in self.regulars])[0]

    def _language(self, person: Person) -> str:
        chance = self.rng.random()
        if len(person.languages) == 1 and chance < 0.15:
            return "en"
        return "es" if chance > 0.96 else self.rng.choice(person.languages)

    def _network(self, person: Person) -> str:
        public = sorted(person.networks - {"zoom"}, reverse=True)  # x first
        return "x" if len(public) == 1 or self.rng.random() < 0.45 else self.rng.choice(public[1:])
