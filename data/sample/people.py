"""The people of the sample: names, accounts, countries, groups, and how much each of them writes."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from random import Random

from data.sample.phrases import CITIES

PREFIX = "el12_"  # of every handle: no real account is ever named
BOT = f"{PREFIX}rtbot"
HOSTS = ("social.example.org", "toot.example.org")
GROUPS = ("government", "business", "civil society", "social entrepreneur", "academia")
_GROUP_WEIGHTS = (46, 15, 17, 9, 13)

#: Country code: share of the accounts, languages by preference, first names, family names.
_WORLD: dict[str, tuple[int, tuple[str, ...], str, str]] = {
    "MX": (46, ("es",), "Mariana Luis Ximena Jorge Itzel Raúl Fernanda Óscar Citlali Emilio", "Zaldo Meraz"),
    "CO": (10, ("es",), "Camila Andrés Juliana Felipe Marcela Iván", "Tobar Quiroga Arbeláez"),
    "CL": (9, ("es",), "Javiera Matías Antonia Benjamín Rocío", "Cárcamo Vidaurre Oyarce"),
    "ES": (9, ("es",), "Nuria Álvaro Leire Jordi Carmen Iñaki", "Ferrándiz Goñi Salvatella"),
    "PE": (5, ("es",), "Milagros César Rosario Renzo", "Chumpitaz Arróspide"),
    "FR": (7, ("fr",), "Camille Théo Aurélie Guillaume Inès Benoît", "Vasselin Carondelet Maubert"),
    "BE": (4, ("fr", "en"), "Lieve Maxime Sofie Gauthier", "Vandeputter Delvigne"),
    "CA": (6, ("en", "en", "fr"), "Heather Étienne Priya Duncan Geneviève", "MacIlwraith Thibodeaux Rao"),
    "GB": (10, ("en",), "Imogen Callum Farah Rhys Beatrice Kwame", "Thornbury Ashdown Pell"),
    "NO": (5, ("en",), "Sigrid Torbjørn Astrid Eirik", "Nordhagen Vikstad"),
    "KR": (5, ("en",), "Ji-yun Min-jae Soo-ah Dong-il", "Baekho Namgil"),
    "PT": (4, ("en",), "Inês Duarte Matilde Rui", "Carvalhido Seabrant"),
    "EE": (4, ("en",), "Liis Rasmus Kadri Priit", "Tammela Kaskmets"),
    "DK": (4, ("en",), "Freja Mikkel Signe", "Overgård Lindskov"),
    "IE": (4, ("en",), "Aoife Cormac Niamh", "O’Dwane Fennelly"),
    "BR": (5, ("en", "es"), "Thiago Luana Caio Beatriz", "Vasconcello Pereirinha"),
    "JP": (4, ("en",), "Haruka Kenta Yui", "Mizukawa Tanabara"),
    "IT": (4, ("en",), "Chiara Lorenzo Giulia", "Bellandri Morosetti"),
    "FI": (3, ("en",), "Aino Juhani", "Koskelainen Rautavaara"),
    "NL": (4, ("en",), "Femke Joost Marieke", "Rijswoud Terborgh"),
}
_LOCAL = "Ibargüen Montalvo Cañedo Urrutia Zepedal Lizárraga Arrieta Bocanegra Tejada Olmedo"
_ROLES = {
    "government": ("digital services, ministry of {}", "e-government office, {}", "city hall of {}"),
    "business": ("software firm in {}", "consultant, {}", "I sell cloud and buy coffee, {}"),
    "civil society": ("open government campaigner, {}", "citizens’ watchdog, {}", "volunteer mapper, {}"),
    "social entrepreneur": ("founder of a civic app, {}", "social start-up, {}"),
    "academia": ("public administration, university of {}", "PhD on e-government, {}"),
}


@dataclass(slots=True)
class Person:
    """Somebody who writes, with one account on one or more networks."""

    name: str
    country: str
    group: str
    languages: tuple[str, ...]
    handle: str
    user_id: str
    followers: int
    city: str
    role: str
    weight: float
    attendance: str | None = None  # room | remote | None = the public
    once: bool = False
    bot: bool = False
    networks: set[str] = field(default_factory=lambda: {"x"})

    @property
    def did(self) -> str:
        """The account's identifier on Bluesky, fictional like its name."""
        letters = "abcdefghijklmnopqrstuvwxyz234567"
        rng = Random(self.handle)
        return "did:plc:el12" + "".join(rng.choice(letters) for _ in range(20))

    @property
    def host(self) -> str:
        """The Mastodon server that the account lives on."""
        return HOSTS[sum(map(ord, self.handle)) % 2]


def make(rng: Random, regulars: int = 190, once: int = 250) -> list[Person]:
    """Everybody: regulars whose activity falls off like 1/rank, people who write once, one bot."""
    people: list[Person] = []
    taken: set[str] = {BOT}
    for rank in range(regulars + once):
        is_regular = rank < regulars
        person = _person(rng, taken, weight=(rank + 1) ** -0.72 if is_regular else 0.0)
        person.once = not is_regular
        if is_regular:
            person.attendance = rng.choices(("room", "remote", None), (35, 30, 35))[0]
        people.append(person)
    for person in people[3:160:7]:
        person.networks.add("mastodon")
    for person in people[5:160:9]:
        person.networks.add("bluesky")
    for person in people[:regulars]:
        if person.attendance == "remote":
            person.networks.add("zoom")
    people.append(_bot(rng))
    return people


def _person(rng: Random, taken: set[str], weight: float) -> Person:
    codes = list(_WORLD)
    country = rng.choices(codes, [_WORLD[code][0] for code in codes])[0]
    _, languages, first_names, family_names = _WORLD[country]
    first = rng.choice(first_names.split())
    family = rng.choice(f"{_LOCAL} {family_names}".split() if country == "MX" else family_names.split())
    group = rng.choices(GROUPS, _GROUP_WEIGHTS)[0]
    city = rng.choice(CITIES)
    handle = _handle(rng, first, family, taken)
    return Person(
        name=f"{first} {family}",
        country=country,
        group=group,
        languages=languages,
        handle=handle,
        user_id=str(9_100_000_000_000_000_000 + rng.randrange(10**15)),
        followers=int(rng.lognormvariate(5.3, 1.3)),
        city=city,
        role=rng.choice(_ROLES[group]).format(city),
        weight=weight,
    )


def _handle(rng: Random, first: str, family: str, taken: set[str]) -> str:
    base = _ascii(first)[:7] + rng.choice(("", "_" + _ascii(family)[:2], _ascii(family)[:3]))
    handle = (PREFIX + base)[:15]
    while handle in taken:
        handle = PREFIX + base[:8] + str(rng.randrange(2, 99))
    taken.add(handle)
    return handle


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.replace("ø", "o"))
    return "".join(letter for letter in plain if letter.isascii() and letter.isalpha()).lower()


def _bot(rng: Random) -> Person:
    return Person(
        name="E-Leaders Echo",
        country="MX",
        group="other",
        languages=("en", "es", "fr"),
        handle=BOT,
        user_id=str(9_100_000_000_000_000_000 + rng.randrange(10**15)),
        followers=312,
        city="Puebla",
        role="I repeat what carries the tag of the meeting",
        weight=0.0,
        bot=True,
    )
