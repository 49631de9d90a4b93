"""The in-domain world: an archipelago of shipyards, river towns and their festivals."""

from __future__ import annotations

from lrat_bench.task.sources.synth_wiki import in_domain_facts as facts
from lrat_bench.task.sources.synth_wiki.definition import EntityType, Naming, Syllables, WorldDefinition

__all__ = ["IN_DOMAIN"]

SYLLABLES = Syllables(
    first=tuple(
        "Ald Bram Bress Cael Cor Dorr Dun Elv Esk Fael Fenn Gald Garr Hald Hisk Isk Ivv Jor Kell Kest Lor Lun Mard "
        "Merr Nar Nesk Ost Orl Pell Quil Rask Roth Sarr Sken Tam Thess Torv Ulv Urr Vard Veyl Visk Wenth Wulv Yarr "
        "Yest Zann Zeph".split()
    ),
    middle=tuple(
        "ab ad al am an ar as av eb ed el em en er es ev ib id il im in ir is iv ob od ol om on or os ov".split()
    ),
    last=tuple(
        "aun ack ade ael aith ambe anth arsh ath eck edge eel eeth ember enna ern esh eth idge ile imm ion ith ock "
        "oe old omb oon orn oss oth ow ule umb und urst".split()
    ),
)

PEOPLE = Naming(
    "{head} {word}",
    tuple(
        "Aldomar Anwisse Berrok Bridwe Casmund Celwy Darrok Delsane Edrow Elunde Fabrok Finnave Garrim Gislawe Hannok "
        "Hedrisse Ilmar Irsane Joffrim Jessawe Korrim Keldane Ludrok Lisbane Marrok Mirelde Nevrim Nollane Odrok "
        "Olwisse Perrok Petrane Quorrim Quennelde Rolfar Rissane Sorrok Selkisse Tobrim Tildane Ulrok Unnawe Vigrim "
        "Veldane Warrok Willisse Yorrim Yrsane Zenrok Zellawe".split()
    ),
)
TOWNS = Naming("{word} {head}", ("Haven", "Quay", "Landing", "Strand", "Ford", "Market", "Wharf", "Staithe"))
RIVERS = Naming("{word} {head}", ("Water", "Beck", "Burn", "Brook", "Stream", "Run", "Rill", "Flow"), article="the ")
SHIPS = Naming(
    "{word} {head}", ("Maid", "Lantern", "Petrel", "Wanderer", "Star", "Pilgrim", "Tern", "Swift"), article="the "
)
GUILDS = Naming(
    "{word} {head}",
    ("Company", "Brotherhood", "Fellowship", "Sodality", "Society", "Union", "League", "Lodge"),
    article="the ",
)
PLANTS = Naming("{word} {head}", ("Wort", "Bane", "Fern", "Thistle", "Lily", "Clover", "Sedge", "Briar"))
FESTIVALS = Naming(
    "{word} {head}",
    ("Lights", "Regatta", "Fair", "Blessing", "Procession", "Revels", "Vigil", "Games"),
    article="the ",
)
BATTLES = Naming(
    "Battle of {word} {head}", ("Head", "Narrows", "Shoal", "Point", "Bar", "Reach", "Skerry", "Roads"), article="the "
)
BOOKS = Naming(
    "{word} {head}",
    ("Chronicle", "Almanac", "Atlas", "Miscellany", "Reader", "Papers", "Codex", "Journal"),
    article="the ",
)

_LIFE = (
    "Few letters survive, and most of what is known comes from tax rolls.",
    "A portrait in a private collection is usually taken to show {N}, though without proof.",
    "{S} never married and left a modest estate.",
    "Contemporaries praised {P} patience and complained of {P} handwriting.",
    "The last years were troubled by debts and a long quarrel with neighbours.",
    "Modern opinion of {P} work is divided.",
)

IN_DOMAIN = WorldDefinition(
    name="in-domain",
    syllables=SYLLABLES,
    types=(
        EntityType(
            "shipwright",
            weight=9,
            naming=PEOPLE,
            person=True,
            facts=(facts.BORN_IN, facts.MEMBER_OF, facts.APPRENTICE_OF, facts.TIMBER, facts.BIRTH_OF_BUILDERS),
            leads=(
                "{N} was a shipwright of the island yards, remembered for sound hulls and slow deliveries.",
                "{N} was a shipwright whose working drawings are still copied by model makers.",
                "{N} was a shipwright active in the great age of the wooden fleets.",
            ),
            asides=_LIFE,
        ),
        EntityType(
            "cartographer",
            weight=9,
            naming=PEOPLE,
            person=True,
            facts=(facts.BORN_IN, facts.SAILED_ON, facts.CHARTED, facts.INK, facts.BIRTH_OF_TRAVELLERS),
            leads=(
                "{N} was a cartographer whose sheets were used by pilots for two centuries.",
                "{N} was a cartographer of the outer islands and a careful observer of tides.",
                "{N} was a cartographer who worked without patrons and sold to fishermen.",
            ),
            asides=_LIFE,
        ),
        EntityType(
            "botanist",
            weight=8,
            naming=PEOPLE,
            person=True,
            facts=(facts.BORN_IN, facts.SAILED_ON, facts.DESCRIBED, facts.HOME, facts.BIRTH_OF_TRAVELLERS),
            leads=(
                "{N} was a botanist and the keeper of a much admired seed collection.",
                "{N} was a botanist who catalogued the flora of the southern shores.",
                "{N} was a botanist known for long walks and exact drawings.",
            ),
            asides=_LIFE,
        ),
        EntityType(
            "composer",
            weight=8,
            naming=PEOPLE,
            person=True,
            facts=(facts.BORN_IN, facts.MEMBER_OF, facts.WROTE_FOR, facts.INSTRUMENT, facts.BIRTH_OF_COMPOSERS),
            leads=(
                "{N} was a composer of dances, laments and ceremonial music.",
                "{N} was a composer whose part-books were found in a cellar long after.",
                "{N} was a composer and a much sought-after teacher.",
            ),
            asides=_LIFE,
        ),
        EntityType(
            "town",
            weight=9,
            naming=TOWNS,
            facts=(facts.ON_RIVER, facts.GOVERNED_BY, facts.TRADE, facts.LANDMARK, facts.FOUNDED),
            leads=(
                "{N} is a harbour town of narrow lanes and steep roofs.",
                "{N} is a town built on three terraces above its harbour.",
                "{N} is a walled town with a sheltered anchorage.",
            ),
            asides=(
                "A fire once destroyed most of the older houses.",
                "The harbour silts up and has to be dredged every few years.",
                "The local dialect keeps many words lost elsewhere.",
                "Two of the four gates have been pulled down to let carts through.",
                "The population has changed little in living memory.",
            ),
        ),
        EntityType(
            "river",
            weight=7,
            naming=RIVERS,
            facts=(facts.JOINS, facts.RISES_IN, facts.FISH, facts.LENGTH),
            leads=(
                "{N} is a river of the interior, slow in its lower course and quick above it.",
                "{N} is a river much used by barges and timber rafts.",
                "{N} is a river with many fords and only one ferry.",
            ),
            asides=(
                "Floods are common when the snow goes early.",
                "Several mills stand idle along its middle course.",
                "Old boundary stones can be seen on the eastern bank.",
                "In dry years it can be waded almost anywhere.",
                "Songs give it a temper and a woman's voice.",
            ),
        ),
        EntityType(
            "ship",
            weight=9,
            naming=SHIPS,
            facts=(facts.BUILT_BY, facts.HOME_PORT, facts.FIGUREHEAD, facts.MASTS, facts.LAUNCHED),
            leads=(
                "{N} was a ship of the merchant service, later armed for war.",
                "{N} was a ship well known on the northern routes.",
                "{N} was a ship of broad beam and shallow draught.",
            ),
            asides=(
                "It was twice refitted and once nearly lost on a sandbank.",
                "Its bell is now in a village church.",
                "Its logbooks are incomplete, with whole years torn out.",
                "Its end is uncertain; it was probably broken up for firewood.",
                "Models of it are hung in chapels along the coast.",
            ),
        ),
        EntityType(
            "guild",
            weight=8,
            naming=GUILDS,
            facts=(facts.SEAT, facts.HARVESTS, facts.EMBLEM, facts.CHARTERED),
            leads=(
                "{N} is a guild of artisans and small traders.",
                "{N} is a guild that once kept its own constables.",
                "{N} is a guild with a long record of lawsuits and good dinners.",
            ),
            asides=(
                "Its annual accounts are read aloud and seldom questioned.",
                "It maintains an almshouse and a small library.",
                "New entrants must provide a meal for all the others.",
                "Its influence has declined since tolls were abolished elsewhere.",
                "A silver cup among its possessions is older than itself.",
            ),
        ),
        EntityType(
            "plant",
            weight=8,
            naming=PLANTS,
            facts=(facts.INTRODUCED_BY, facts.BLOSSOM, facts.REMEDY, facts.FLOWERS),
            leads=(
                "{N} is a plant of damp meadows and ditches.",
                "{N} is a low-growing plant with a bitter smell.",
                "{N} is a hardy plant found on sea cliffs and old walls.",
            ),
            asides=(
                "Goats avoid it, and bees do not.",
                "It spreads by runners and is hard to get rid of.",
                "Its stems were once twisted into lamp wicks.",
                "It does poorly in shade and in rich soil.",
                "Weavers used to boil it for a fast yellow dye.",
            ),
        ),
        EntityType(
            "festival",
            weight=8,
            naming=FESTIVALS,
            facts=(facts.HELD_IN, facts.HONOURS, facts.OBSERVED, facts.CUSTOM, facts.FIRST_HELD),
            leads=(
                "{N} is a festival at which debts are forgiven and quarrels begun.",
                "{N} is a festival with a good deal of noise and a great deal of cider.",
                "{N} is a festival whose older rites are no longer understood.",
            ),
            asides=(
                "It was forbidden twice and survived both bans.",
                "A straw figure is thrown into the harbour on the last evening.",
                "The oldest inhabitant speaks first, by custom.",
                "Rain on the opening day is thought lucky.",
                "Nobody may work at an anvil while it lasts.",
            ),
        ),
        EntityType(
            "battle",
            weight=7,
            naming=BATTLES,
            facts=(facts.FOUGHT_ON, facts.FLAGSHIP, facts.WEATHER, facts.FOUGHT_IN, facts.LOSSES),
            leads=(
                "{N} was a battle between rival fleets over fishing rights.",
                "{N} was a battle of the long war for the northern channels.",
                "{N} was a short and confused battle that settled very little.",
            ),
            asides=(
                "Both sides claimed to have won, and both held thanksgivings.",
                "The dead were buried in a common grave above the beach.",
                "Cannon balls are still turned up by trawlers.",
                "Its tactics are taught as a warning.",
                "A truce was signed within the month.",
            ),
        ),
        EntityType(
            "book",
            weight=9,
            naming=BOOKS,
            facts=(facts.WRITTEN_BY, facts.PRINTED_IN, facts.RECOUNTS, facts.BINDING, facts.APPEARED),
            leads=(
                "{N} is a book of travels, anecdotes and sailing directions.",
                "{N} is a book that mixes history with hearsay.",
                "{N} is an illustrated book for a general public.",
            ),
            asides=(
                "Scholars distrust its figures but enjoy its gossip.",
                "Only a handful of complete sets are known.",
                "A pirated version circulated with the names changed.",
                "The index is famously useless.",
                "School editions leave out the final third.",
            ),
        ),
    ),
    confusions=(
        "{S} should not be confused with {o}.",
        "Older catalogues mix up {N} and {o}.",
        "No connection with {o} has ever been shown.",
        "An old guidebook wrongly treats {o} under the same heading.",
    ),
)
