"""The out-of-domain world: a highland country of observatories, workshops and caravans."""

from __future__ import annotations

from lrat_bench.task.sources.synth_wiki import out_of_domain_facts as facts
from lrat_bench.task.sources.synth_wiki.definition import EntityType, Naming, Syllables, WorldDefinition

__all__ = ["OUT_OF_DOMAIN"]

SYLLABLES = Syllables(
    first=tuple(
        "Ach Ban Ciph Dagh Djov Egh Ghav Hur Iph Jaz Kav Khom Lakh Maz Mukh Nav Nizh Ogh Oz Phon Qad Qum Raz Shav Shuk "
        "Soph Tzav Tchov Ukh Vash Vazh Xan Xov Yagh Yukh Zagh Zhav Zhok Zul Bukh Chav Dov Guj Haz Javv Kuzh Pagh "
        "Rukh".split()
    ),
    middle=tuple(
        "ag al am an ar at az eg el em en er et ez ig il im in ir it iz og ol om on or ot oz ul um un ur".split()
    ),
    last=tuple(
        "ad adze ak alv an anj aq ard ash at avv az azh ed edj ek elv em enj esh et ez id idj ik ilv iq irz iv iz od "
        "odj okh olv onj oq osh ov oz ud udj ukh ulv un ur ush uv uz".split()
    ),
)

PEOPLE = Naming(
    "{head} {word}",
    tuple(
        "Aghun Ashari Bektur Belime Chazan Chimere Dastor Dilane Ergun Eshira Farhun Feyime Gazhun Gulane Hakur Hazime "
        "Ishtor Izmire Jangur Jalime Kambur Kezire Lokhan Lazime Mirzhun Mehane Nurgun Nazire Oruzh Olzhane Polur "
        "Pazime Qorgun Qadire Rustur Rozhime Sanjur Sezane Tazhun Tulime Urzun Ulzane Vakhur Vezire Yalgun Yezhime "
        "Zakhur Zulane Shirgun Shazime".split()
    ),
)
ACADEMIES = Naming("Academy of {word} {head}", ("Gate", "Court", "Cloister", "Terrace", "Steps", "Arch"), "the ")
MONASTERIES = Naming(
    "{word} {head}", ("Abbey", "Priory", "Hermitage", "Lavra", "Charterhouse", "Convent", "Skete", "Minster")
)
MOUNTAINS = Naming("{head} {word}", ("Mount", "Pik", "Kuh", "Tor", "Dome", "Horn", "Spire", "Fang"))
COMETS = Naming("{word} {head}", ("Comet", "Wanderlight", "Broom", "Torch", "Plume", "Spark"), "the ")
CARAVANS = Naming("{word} {head}", ("Caravan", "Train", "Convoy", "Trek", "Column", "Cavalcade"), "the ")
GEMS = Naming("{word} {head}", ("Diamond", "Opal", "Sapphire", "Garnet", "Topaz", "Beryl", "Spinel", "Emerald"), "the ")
TAPESTRIES = Naming("{word} {head}", ("Hanging", "Tapestry", "Arras", "Panel", "Canopy", "Banner"), "the ")
PLAYS = Naming("{head} of {word}", ("Widow", "Miser", "Prince", "Judge", "Ghost", "Bride", "Barber", "Widower"), "the ")

_LIFE = (
    "Most of what is told about {P} youth was invented by a nephew.",
    "A bust said to be of {N} has a later head.",
    "{S} changed lodgings often and paid seldom.",
    "Two streets and a bakery now bear the surname.",
    "Rivals called {P} success an accident.",
    "Nothing in {P} own hand has survived.",
)

OUT_OF_DOMAIN = WorldDefinition(
    name="out-of-domain",
    syllables=SYLLABLES,
    types=(
        EntityType(
            "astronomer",
            weight=9,
            naming=PEOPLE,
            person=True,
            facts=(facts.TAUGHT_AT, facts.SIGHTED, facts.OBSERVED_FROM, facts.OPTICS, facts.DEATH_OF_STARGAZERS),
            leads=(
                "{N} was an astronomer who distrusted every earlier star table.",
                "{N} was an astronomer and a maker of brass instruments.",
                "{N} was an astronomer whose nightly notes fill forty volumes.",
            ),
            asides=_LIFE,
        ),
        EntityType(
            "weaver",
            weight=9,
            naming=PEOPLE,
            person=True,
            facts=(facts.SUPPLIED, facts.JOINED_CARAVAN, facts.HEIR_OF, facts.DYE, facts.DEATH_OF_WEAVERS),
            leads=(
                "{N} was a weaver whose patterns were copied all over the highlands.",
                "{N} was a weaver of large pictorial hangings.",
                "{N} was a weaver and the owner of four looms.",
            ),
            asides=_LIFE,
        ),
        EntityType(
            "falconer",
            weight=9,
            naming=PEOPLE,
            person=True,
            facts=(facts.KEPT_BIRDS_FOR, facts.CLIMBED, facts.BIRD, facts.DEATH_OF_FALCONERS),
            leads=(
                "{N} was a falconer and the author of a manual on moulting.",
                "{N} was a falconer whose birds were sought by foreign courts.",
                "{N} was a falconer, a guide and for some time an outlaw.",
            ),
            asides=_LIFE,
        ),
        EntityType(
            "playwright",
            weight=8,
            naming=PEOPLE,
            person=True,
            facts=(facts.STUDIED_AT, facts.EXILED_TO, facts.OWNED, facts.VICE, facts.DEATH_OF_PLAYWRIGHTS),
            leads=(
                "{N} was a playwright admired by actors and feared by managers.",
                "{N} was a playwright who wrote only at night.",
                "{N} was a playwright, an occasional actor and a permanent debtor.",
            ),
            asides=_LIFE,
        ),
        EntityType(
            "academy",
            weight=7,
            naming=ACADEMIES,
            facts=(facts.BELOW, facts.SUBJECT, facts.OPENED),
            leads=(
                "{N} is an academy with more statutes than students.",
                "{N} is an academy built around three unequal courtyards.",
                "{N} is an academy known for its disputations and its draughts.",
            ),
            asides=(
                "Its rectors serve for a year and may not refuse.",
                "The clock in the yard has been slow for a century.",
                "Fees may be paid in firewood.",
                "A fire in the archive destroyed the records of the early years.",
                "Graduates wear a yellow cord at weddings and funerals.",
                "Town and gown have fought over the right to brew.",
            ),
        ),
        EntityType(
            "monastery",
            weight=8,
            naming=MONASTERIES,
            facts=(facts.BELOW, facts.TREASURES, facts.RELIC, facts.VOW),
            leads=(
                "{N} is a monastery reached by a stair cut into the cliff.",
                "{N} is a monastery with a famous kitchen garden.",
                "{N} is a monastery of thirty brothers and a great many cats.",
            ),
            asides=(
                "Visitors are lodged over the stables.",
                "Its honey is sold by the door, on trust.",
                "A wall painting in the porch has been scraped away.",
                "Soldiers occupied it twice and left it poorer.",
                "The guest book is read aloud on the feast of the founder.",
            ),
        ),
        EntityType(
            "mountain",
            weight=8,
            naming=MOUNTAINS,
            facts=(facts.RIDGE, facts.NAMED_FOR, facts.ROCK, facts.FAUNA, facts.HEIGHT),
            leads=(
                "{N} is a mountain with two tops, of which the western is the higher.",
                "{N} is a mountain seen from most of the northern valleys.",
                "{N} is a mountain of sudden mists and loose scree.",
            ),
            asides=(
                "Herders leave a pebble at the spring and take none away.",
                "A rockfall some generations ago changed its outline.",
                "Its glacier has shrunk to a patch of grey ice.",
                "Weather on its two sides is seldom the same.",
                "An abandoned signal station stands near the top.",
            ),
        ),
        EntityType(
            "comet",
            weight=7,
            naming=COMETS,
            facts=(facts.PREDICTED_BY, facts.TAIL, facts.PERIOD, facts.CONSTELLATION),
            leads=(
                "{N} is a comet that was widely taken for an omen.",
                "{N} is a comet faint enough to be missed in a wet year.",
                "{N} is a comet recorded in parish books across the highlands.",
            ),
            asides=(
                "Preachers made much of it and were later embarrassed.",
                "A lost almanac is said to have contained a drawing.",
                "Dogs are believed to howl while it is up.",
                "Several taverns are called after it.",
                "Its nucleus has never been resolved.",
            ),
        ),
        EntityType(
            "caravan",
            weight=8,
            naming=CARAVANS,
            facts=(facts.LED_BY, facts.CROSSES, facts.WINTERED_AT, facts.CARGO, facts.BEASTS_OF_BURDEN, facts.SET_OUT),
            leads=(
                "{N} was a caravan that worked the eastern road.",
                "{N} was a caravan owned in shares by forty families.",
                "{N} was a caravan known for its songs and its strict discipline.",
            ),
            asides=(
                "Robbers attacked it often and seldom with profit.",
                "A cook in its pay wrote a short memoir.",
                "It dissolved after a quarrel over a dowry.",
                "Its bells could be heard a day ahead.",
            ),
        ),
        EntityType(
            "gem",
            weight=8,
            naming=GEMS,
            facts=(facts.MINED_ON, facts.CARRIED_BY, facts.GLEAM, facts.CUT, facts.CARATS),
            leads=(
                "{N} is a gem with a flaw that resembles a feather.",
                "{N} is a gem of disputed value and bad reputation.",
                "{N} is a gem that has been stolen at least four times.",
            ),
            asides=(
                "A paste copy is shown to the public.",
                "It is said to bring luck to every second holder.",
                "An attempt to divide it cost a craftsman his living.",
                "Insurers decline to name a figure.",
                "It was lost for a generation behind a stove.",
            ),
        ),
        EntityType(
            "tapestry",
            weight=8,
            naming=TAPESTRIES,
            facts=(facts.WOVEN_BY, facts.DEPICTS, facts.HANGS_IN, facts.YARN, facts.ELLS, facts.COMPLETED),
            leads=(
                "{N} is a tapestry of hunting scenes and small jokes.",
                "{N} is a tapestry crowded with minor figures.",
                "{N} is a tapestry with a border of thistles and snails.",
            ),
            asides=(
                "Moths have eaten most of the sky.",
                "It was cut in two for a stairway and sewn together again.",
                "A child's face in the corner is a later addition.",
                "During a siege it served as a tent.",
            ),
        ),
        EntityType(
            "play",
            weight=9,
            naming=PLAYS,
            facts=(facts.SCRIPTED_BY, facts.STAGED_AT, facts.TURNS_ON, facts.ACTS, facts.GENRE, facts.PERFORMED),
            leads=(
                "{N} is a play for nine actors and a real donkey.",
                "{N} is a play long forbidden in the capital.",
                "{N} is a play remembered for a single speech.",
            ),
            asides=(
                "Its third song became a drinking catch.",
                "Printed texts disagree about the ending.",
                "The part of the notary is thought unlucky.",
                "A translation enjoyed more success than the original.",
            ),
        ),
    ),
    confusions=(
        "A common mistake is to attribute to {N} what is true of {o}.",
        "Indexes often list {o} in the same column.",
        "The likeness to {o} is accidental.",
        "Some handbooks swap its description with that of {o}.",
    ),
)
