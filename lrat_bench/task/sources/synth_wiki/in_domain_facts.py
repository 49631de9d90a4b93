"""The facts of the in-domain world and their phrasings."""

from __future__ import annotations

from lrat_bench.task.sources.synth_wiki.definition import Attribute, Relation

__all__ = [
    "APPEARED",
    "APPRENTICE_OF",
    "BINDING",
    "BIRTH_OF_BUILDERS",
    "BIRTH_OF_COMPOSERS",
    "BIRTH_OF_TRAVELLERS",
    "BLOSSOM",
    "BORN_IN",
    "BUILT_BY",
    "CHARTED",
    "CHARTERED",
    "CUSTOM",
    "DESCRIBED",
    "EMBLEM",
    "FIGUREHEAD",
    "FIRST_HELD",
    "FISH",
    "FLAGSHIP",
    "FLOWERS",
    "FOUGHT_IN",
    "FOUGHT_ON",
    "FOUNDED",
    "GOVERNED_BY",
    "HARVESTS",
    "HELD_IN",
    "HOME",
    "HOME_PORT",
    "HONOURS",
    "INK",
    "INSTRUMENT",
    "INTRODUCED_BY",
    "JOINS",
    "LANDMARK",
    "LAUNCHED",
    "LENGTH",
    "LOSSES",
    "MASTS",
    "MEMBER_OF",
    "OBSERVED",
    "ON_RIVER",
    "PRINTED_IN",
    "RECOUNTS",
    "REMEDY",
    "RISES_IN",
    "SAILED_ON",
    "SEAT",
    "TIMBER",
    "TRADE",
    "WEATHER",
    "WRITTEN_BY",
    "WROTE_FOR",
]

COLOURS = ("ochre", "indigo", "crimson", "sepia", "emerald", "violet", "vermilion", "cobalt", "saffron", "scarlet")
BEASTS = ("heron", "stag", "dolphin", "hare", "falcon", "sea serpent", "bear", "swan", "lynx", "badger", "raven")
SEASONS = (
    "after the first frost",
    "in midwinter",
    "at the spring thaw",
    "in high summer",
    "during the autumn rains",
    "at harvest time",
    "when the geese return",
    "after the snowmelt",
)


def _years(first: int, last: int) -> tuple[str, ...]:
    return tuple(str(year) for year in range(first, last + 1))


BORN_IN = Relation(
    "born_in",
    "town",
    told=(
        "{S} was a native of {o}.",
        "{S} grew up in {o}, within sight of the quays.",
        "{S} spent a poor childhood in {o}.",
        "{S} came from a family long settled in {o}.",
    ),
    echoed=("{o} grew up here.", "People here still point out the house where {o} spent a poor childhood."),
    asked=("was born in {o}", "hailed from {o}", "first saw daylight in {o}"),
    traced=("is the birthplace of {o}", "saw the birth of {o}"),
)
MEMBER_OF = Relation(
    "member_of",
    "guild",
    told=(
        "{S} paid dues to {o} for most of a working life.",
        "{S} was sworn into {o} at an early age.",
        "{S} wore the livery of {o}.",
        "{S} sat for a time on the council of {o}.",
    ),
    echoed=("{o} wore its livery.", "Its rolls carry the name of {o}."),
    asked=("belonged to {o}", "was a member of {o}", "joined {o}"),
    traced=("admitted {o}", "numbered among its members {o}"),
)
APPRENTICE_OF = Relation(
    "apprentice_of",
    "shipwright",
    told=(
        "{S} learned the craft from {o}.",
        "{S} served seven years in the yard of {o}.",
        "{S} was taught to loft a hull by {o}.",
    ),
    echoed=("{o} learned the craft in {P} yard.", "{S} passed {P} methods on to {o}."),
    asked=("was the apprentice of {o}", "trained under {o}"),
    traced=("took as apprentice {o}", "trained {o}"),
)
SAILED_ON = Relation(
    "sailed_on",
    "ship",
    told=(
        "{S} spent three winters at sea in {o}.",
        "{S} signed on with the crew of {o}.",
        "{P} longest voyage was made aboard {o}.",
    ),
    echoed=("{o} signed on with the crew for one long voyage.", "Its muster roll names {o}."),
    asked=("sailed on {o}", "travelled on {o}", "was a passenger on {o}"),
    traced=("carried {o}", "took as a passenger {o}"),
)
CHARTED = Relation(
    "charted",
    "river",
    told=(
        "{S} drew every bend of {o} from its source to the sea.",
        "{S} measured the depths of {o} with a knotted line.",
        "{P} survey of {o} took two summers.",
    ),
    echoed=("Its bends were measured by {o}.", "{o} drew every reach of it."),
    asked=("mapped {o}", "charted {o}"),
    traced=("was mapped by {o}", "was charted by {o}"),
)
DESCRIBED = Relation(
    "described",
    "plant",
    told=(
        "{S} left a short treatise on {o}.",
        "{S} pressed and labelled several sheets of {o}.",
        "{P} notebooks contain a careful sketch of {o}.",
    ),
    echoed=("{o} pressed several sheets of it.", "There is a careful sketch of it in the notebooks of {o}."),
    asked=("described {o}", "studied {o}"),
    traced=("was studied by {o}", "was described by {o}"),
)
WROTE_FOR = Relation(
    "wrote_for",
    "festival",
    told=(
        "{S} supplied the music for {o}.",
        "A march from {P} pen is still heard at {o}.",
        "{S} provided a new cantata for {o}.",
    ),
    echoed=("A march from the pen of {o} is still heard at it.", "{o} supplied a cantata for it."),
    asked=("wrote a piece for {o}", "was commissioned by {o}"),
    traced=("commissioned a piece from {o}", "ordered a work written by {o}"),
)
ON_RIVER = Relation(
    "on_river",
    "river",
    told=(
        "It grew up where the old road crosses {o}.",
        "Barges reach it by way of {o}.",
        "Its lower wards are often flooded by {o}.",
    ),
    echoed=("Barges use it to reach {o}.", "It often floods the lower wards of {o}."),
    asked=("lies on {o}", "stands beside {o}"),
    traced=("flows past {o}", "passes {o}"),
)
GOVERNED_BY = Relation(
    "governed_by",
    "guild",
    told=(
        "Its affairs are in the hands of {o}.",
        "{o} appoints the harbour master and collects the tolls.",
        "By old custom {o} holds the keys to the gates.",
    ),
    echoed=("It collects the tolls of {o}.", "It holds the keys to the gates of {o}."),
    asked=("is governed by {o}", "is ruled by {o}"),
    traced=("governs {o}", "rules {o}"),
)
JOINS = Relation(
    "joins",
    "river",
    told=(
        "It loses its name where it runs into {o}.",
        "Its waters end in those of {o}.",
        "It mingles with {o} below a line of rapids.",
    ),
    echoed=("It takes in the waters of {o}.", "Below a line of rapids it mingles with {o}."),
    asked=("is a tributary of {o}", "joins {o}"),
    traced=("has as a tributary {o}", "is joined by {o}"),
)
BUILT_BY = Relation(
    "built_by",
    "shipwright",
    told=(
        "Its keel was laid by {o}.",
        "It came from the yard of {o}.",
        "{o} drew the lines and oversaw the work.",
    ),
    echoed=("{o} came from {P} yard.", "{S} laid the keel of {o}."),
    asked=("was built by {o}", "was constructed by {o}"),
    traced=("built {o}", "constructed {o}"),
)
HOME_PORT = Relation(
    "home_port",
    "town",
    told=(
        "It wintered each year at {o}.",
        "It was registered at {o}.",
        "Its crew was drawn almost wholly from {o}.",
    ),
    echoed=("{o} wintered here.", "Its harbour register lists {o}."),
    asked=("had its home port in {o}", "was based in {o}"),
    traced=("was the home port of {o}", "was the base of {o}"),
)
SEAT = Relation(
    "seat",
    "town",
    told=(
        "Its hall stands on the main square of {o}.",
        "Its archives and treasure chest are kept in {o}.",
        "Every general assembly is called to {o}.",
    ),
    echoed=("The hall of {o} stands on its main square.", "The archives of {o} are kept here."),
    asked=("has its seat in {o}", "is headquartered in {o}"),
    traced=("is the seat of {o}", "hosts the headquarters of {o}"),
)
HARVESTS = Relation(
    "harvests",
    "plant",
    told=(
        "By royal grant it may gather {o}.",
        "Half its income comes from cutting {o}.",
        "Its wardens guard the beds of {o}.",
    ),
    echoed=("{o} may gather it by royal grant.", "Its beds are guarded by wardens of {o}."),
    asked=("holds harvest rights to {o}", "has a licence to harvest {o}"),
    traced=("is subject to the harvest rights of {o}", "is harvested by {o}"),
)
INTRODUCED_BY = Relation(
    "introduced_by",
    "ship",
    told=(
        "The first seeds came ashore from {o}.",
        "It reached the islands as a stowaway in the ballast of {o}.",
        "Sailors of {o} raised the first beds.",
    ),
    echoed=("The first seeds of {o} came ashore from its ballast.", "Its sailors raised the first beds of {o}."),
    asked=("was introduced by {o}", "was imported on {o}"),
    traced=("introduced {o}", "imported {o}"),
)
HELD_IN = Relation(
    "held_in",
    "town",
    told=(
        "The streets of {o} are closed for three days.",
        "Every household in {o} takes part.",
        "Crowds fill {o} from dawn.",
    ),
    echoed=("Its streets are closed each year for {o}.", "Every household takes part in {o}."),
    asked=("is held in {o}", "is celebrated in {o}"),
    traced=("holds {o}", "celebrates {o}"),
)
HONOURS = Relation(
    "honours",
    "battle",
    told=(
        "It keeps alive the memory of {o}.",
        "Veterans of {o} led the first procession.",
        "The speeches recall {o}.",
    ),
    echoed=("Its memory is kept alive at {o}.", "Its veterans led the first procession of {o}."),
    asked=("commemorates {o}", "was created in honour of {o}"),
    traced=("is commemorated by {o}", "is honoured at {o}"),
)
FOUGHT_ON = Relation(
    "fought_on",
    "river",
    told=(
        "The two fleets met at the mouth of {o}.",
        "Wreckage drifted up {o} for days.",
        "A boom across {o} held the attackers back.",
    ),
    echoed=("Two fleets met at its mouth in {o}.", "Wreckage drifted up it for days after {o}."),
    asked=("was fought on {o}", "took place on {o}"),
    traced=("was the scene of {o}", "witnessed {o}"),
)
FLAGSHIP = Relation(
    "flagship",
    "ship",
    told=(
        "The victors followed {o} into the line.",
        "{o} broke the enemy line.",
        "The admiral gave his orders from {o}.",
    ),
    echoed=("It broke the enemy line at {o}.", "The admiral gave his orders from it at {o}."),
    asked=("was decided by {o}", "was won by {o}"),
    traced=("decided {o}", "won {o}"),
)
WRITTEN_BY = Relation(
    "written_by",
    "cartographer",
    told=("It is the work of {o}.", "{o} finished it in old age.", "The preface is signed by {o}."),
    echoed=("In old age {s} finished {o}.", "{S} signed the preface of {o}."),
    asked=("was written by {o}", "was authored by {o}"),
    traced=("wrote {o}", "was the author of {o}"),
)
PRINTED_IN = Relation(
    "printed_in",
    "town",
    told=(
        "The type was set in {o}.",
        "It left the presses of {o} in a small edition.",
        "A workshop in {o} pulled the sheets.",
    ),
    echoed=("The type of {o} was set here.", "{o} left its presses in a small edition."),
    asked=("was printed in {o}", "was published in {o}"),
    traced=("saw the printing of {o}", "saw the publication of {o}"),
)
RECOUNTS = Relation(
    "recounts",
    "battle",
    told=("Its longest chapter is given to {o}.", "The story turns on {o}.", "The plates show {o} from both sides."),
    echoed=("It fills the longest chapter of {o}.", "The plates of {o} show it from both sides."),
    asked=("recounts {o}", "describes {o}"),
    traced=("is recounted in {o}", "is described in {o}"),
)

BIRTH_TOLD = (
    "The parish register enters {P} baptism under {o}.",
    "{S} came into the world in {o}.",
    "A church register of {o} records {P} christening.",
)
BIRTH_ASKED = ("was born in {o}", "first drew breath in {o}")
BIRTH_OF_BUILDERS = Attribute("birth_of_builders", _years(1301, 1340), BIRTH_TOLD, BIRTH_ASKED)
BIRTH_OF_TRAVELLERS = Attribute("birth_of_travellers", _years(1361, 1400), BIRTH_TOLD, BIRTH_ASKED)
BIRTH_OF_COMPOSERS = Attribute("birth_of_composers", _years(1431, 1465), BIRTH_TOLD, BIRTH_ASKED)
TIMBER = Attribute(
    "timber",
    ("larch", "oak", "elm", "cedar", "yew", "ash", "walnut", "chestnut", "alder", "juniper"),
    told=(
        "{S} preferred {o} to any other timber.",
        "Hulls from the yard were nearly always of {o}.",
        "{S} swore by {o} and would lay down nothing else.",
    ),
    asked=("worked chiefly in {o}", "was known for building in {o}"),
)
INK = Attribute(
    "ink",
    COLOURS,
    told=(
        "{P} sheets can be told by their {o} lettering.",
        "{S} lettered every sheet in {o}.",
        "Coasts on {P} sheets are washed in {o}.",
    ),
    asked=("worked with {o} ink", "was known for using {o} ink"),
)
HOME = Attribute(
    "home",
    (
        "a windmill",
        "a lighthouse",
        "a disused chapel",
        "a houseboat",
        "a customs shed",
        "a tollhouse",
        "a granary",
        "a ropewalk",
    ),
    told=("{S} kept {P} collections in {o}.", "In later years {s} slept and worked in {o}."),
    asked=("lived in {o}", "made a home of {o}"),
)
INSTRUMENT = Attribute(
    "instrument",
    ("viol", "shawm", "hurdy-gurdy", "psaltery", "dulcimer", "lute", "cittern", "rebec"),
    told=(
        "{S} was happiest with the {o}.",
        "Nearly all that survives is for the {o}.",
        "{S} owned a {o} of uncommon size.",
    ),
    asked=("played the {o}", "performed on the {o}"),
)
TRADE = Attribute(
    "trade",
    ("salt", "rope", "tar", "herring", "whale oil", "amber", "wool", "glass", "candles", "sailcloth", "honey"),
    told=(
        "Most households live by {o}.",
        "Warehouses full of {o} line the waterfront.",
        "The market deals in {o} above all.",
    ),
    asked=("trades in {o}", "exports {o}"),
)
LANDMARK = Attribute(
    "landmark",
    (
        "a leaning bell tower",
        "a covered bridge",
        "a sunken garden",
        "a stone whale",
        "a double lighthouse",
        "a clock without hands",
        "a blue-tiled granary",
        "a ruined customs house",
    ),
    told=(
        "Visitors are shown {o}.",
        "The pride of the place is {o}.",
        "Travellers remember {o} near the quay.",
    ),
    asked=("has {o}", "is the site of {o}"),
)
FOUNDED = Attribute(
    "founded",
    _years(801, 860),
    told=(
        "Its oldest deed bears the date {o}.",
        "Settlers are said to have come in {o}.",
        "A stone by the gate bears the date {o}.",
    ),
    asked=("was founded in {o}", "was established in {o}"),
)
RISES_IN = Attribute(
    "rises_in",
    (
        "a peat moor",
        "a glacier",
        "a limestone cave",
        "a chain of lakes",
        "a hot spring",
        "a beech forest",
        "a high salt marsh",
        "a walled garden",
    ),
    told=(
        "Its first waters gather in {o}.",
        "It begins as a trickle from {o}.",
        "Walkers can trace it back to {o}.",
    ),
    asked=("rises in {o}", "has its source in {o}"),
)
FISH = Attribute(
    "fish",
    ("trout", "pike", "eels", "salmon", "perch", "sturgeon", "lampreys", "grayling"),
    told=(
        "Anglers come for the {o}.",
        "Weirs on the lower course are set for {o}.",
        "Inns along the way serve {o}.",
    ),
    asked=("is famous for its {o}", "is fished for {o}"),
)
LENGTH = Attribute(
    "length",
    ("twenty leagues", "thirty leagues", "forty leagues", "fifty leagues", "sixty leagues", "seventy leagues"),
    told=("From end to end it measures {o}.", "Boatmen reckon it at {o}."),
    asked=("is {o} long", "runs for {o}"),
)
FIGUREHEAD = Attribute(
    "figurehead",
    BEASTS,
    told=(
        "A carved {o} leaned from the bow.",
        "Under the bowsprit hung a gilded {o}.",
        "The prow was shaped as a {o}.",
    ),
    asked=("bore a {o} as its figurehead", "had a {o} for a figurehead"),
)
MASTS = Attribute(
    "masts",
    ("two masts", "three masts", "four masts", "five masts"),
    told=("It set sail on {o}.", "Prints show it with {o}."),
    asked=("had {o}", "was rigged with {o}"),
)
LAUNCHED = Attribute(
    "launched",
    _years(1361, 1399),
    told=("It first took to the water in {o}.", "It slid down the ways in {o}."),
    asked=("was launched in {o}", "entered service in {o}"),
)
EMBLEM = Attribute(
    "emblem",
    BEASTS,
    told=("Its seal shows a {o}.", "A painted {o} hangs above the door.", "Its banners display a {o}."),
    asked=("has a {o} as its emblem", "uses a {o} as its badge"),
)
CHARTERED = Attribute(
    "chartered",
    _years(1101, 1160),
    told=("Its privileges were granted in {o}.", "Its oldest minute book opens in {o}."),
    asked=("was chartered in {o}", "was founded in {o}"),
)
BLOSSOM = Attribute(
    "blossom",
    COLOURS,
    told=("Its petals are {o}.", "In full bloom it turns whole slopes {o}."),
    asked=("has {o} blossoms", "bears {o} flowers"),
)
REMEDY = Attribute(
    "remedy",
    ("fever", "toothache", "gout", "sleeplessness", "snow blindness", "seasickness", "hoarseness", "warts"),
    told=("Healers brew its leaves against {o}.", "A paste of the root is given for {o}."),
    asked=("is used to treat {o}", "is a cure for {o}"),
)
FLOWERS = Attribute(
    "flowers",
    SEASONS,
    told=("The buds open {o}.", "Gatherers look for it {o}."),
    asked=("comes into flower {o}", "flowers {o}"),
)
OBSERVED = Attribute(
    "observed",
    SEASONS,
    told=("It begins {o}.", "The bells ring for it {o}."),
    asked=("is observed {o}", "occurs {o}"),
)
CUSTOM = Attribute(
    "custom",
    (
        "paper lanterns",
        "straw boats",
        "honey cakes",
        "painted eggs",
        "hide drums",
        "wooden masks",
        "garlands of reed",
        "tin whistles",
    ),
    told=("Children go about with {o}.", "No doorway is without {o}.", "Stalls sell {o} by the hundred."),
    asked=("is known for its {o}", "features {o}"),
)
FIRST_HELD = Attribute(
    "first_held",
    _years(1451, 1499),
    told=("The earliest mention of it is from {o}.", "Account books list it for the first time under {o}."),
    asked=("dates back to {o}", "began in {o}"),
)
WEATHER = Attribute(
    "weather",
    (
        "thick fog",
        "driving sleet",
        "a dead calm",
        "a rising gale",
        "heavy snow",
        "blinding sunshine",
        "a thunderstorm",
        "bright moonlight",
    ),
    told=("The guns opened in {o}.", "Eyewitnesses speak of {o}."),
    asked=("was fought in {o}", "took place in {o}"),
)
FOUGHT_IN = Attribute(
    "fought_in",
    _years(1401, 1449),
    told=("The quarrel came to a head in {o}.", "Ballads put it in {o}."),
    asked=("happened in {o}", "occurred in {o}"),
)
LOSSES = Attribute(
    "losses",
    ("five galleys", "seven galleys", "nine galleys", "eleven galleys", "fourteen galleys", "twenty galleys"),
    told=("The losers left {o} on the bottom.", "By nightfall {o} were burning."),
    asked=("saw {o} sunk", "cost {o}"),
)
BINDING = Attribute(
    "binding",
    (
        "sealskin",
        "red leather",
        "birch bark",
        "green velvet",
        "oiled canvas",
        "grey linen",
        "calfskin",
        "blue silk",
    ),
    told=("Surviving copies are wrapped in {o}.", "The boards are covered with {o}."),
    asked=("was bound in {o}", "had a binding of {o}"),
)
APPEARED = Attribute(
    "appeared",
    _years(1501, 1549),
    told=("The colophon gives {o}.", "Booksellers listed it from {o}."),
    asked=("appeared in {o}", "came out in {o}"),
)
