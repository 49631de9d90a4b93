"""The facts of the out-of-domain world and their phrasings."""

from __future__ import annotations

from lrat_bench.task.sources.synth_wiki.definition import Attribute, Relation

__all__ = [
    "ACTS",
    "BEASTS_OF_BURDEN",
    "BELOW",
    "BIRD",
    "CARATS",
    "CARGO",
    "CARRIED_BY",
    "CLIMBED",
    "COMPLETED",
    "CONSTELLATION",
    "CROSSES",
    "CUT",
    "DEATH_OF_FALCONERS",
    "DEATH_OF_PLAYWRIGHTS",
    "DEATH_OF_STARGAZERS",
    "DEATH_OF_WEAVERS",
    "DEPICTS",
    "DYE",
    "ELLS",
    "EXILED_TO",
    "FAUNA",
    "GENRE",
    "GLEAM",
    "HANGS_IN",
    "HEIGHT",
    "HEIR_OF",
    "JOINED_CARAVAN",
    "KEPT_BIRDS_FOR",
    "LED_BY",
    "MINED_ON",
    "NAMED_FOR",
    "OBSERVED_FROM",
    "OPENED",
    "OPTICS",
    "OWNED",
    "PERFORMED",
    "PERIOD",
    "PREDICTED_BY",
    "RELIC",
    "RIDGE",
    "ROCK",
    "SCRIPTED_BY",
    "SET_OUT",
    "SIGHTED",
    "STAGED_AT",
    "STUDIED_AT",
    "SUBJECT",
    "SUPPLIED",
    "TAIL",
    "TAUGHT_AT",
    "TREASURES",
    "TURNS_ON",
    "VICE",
    "VOW",
    "WINTERED_AT",
    "WOVEN_BY",
    "YARN",
]

HUES = ("amber", "jade", "turquoise", "ivory", "copper", "rose", "umber", "silver", "plum", "honey-yellow")
CREATURES = ("snow leopards", "wild asses", "eagle owls", "mountain goats", "wolves", "marmots", "vultures", "foxes")


def _years(first: int, last: int) -> tuple[str, ...]:
    return tuple(str(year) for year in range(first, last + 1))


TAUGHT_AT = Relation(
    "taught_at",
    "academy",
    told=(
        "{S} held a chair at {o} for many years.",
        "{S} read the morning lecture at {o}.",
        "The benches of {o} were full in {P} day.",
    ),
    echoed=("{o} read the morning lecture there.", "Its benches were full in the day of {o}."),
    asked=("taught at {o}", "was a professor at {o}"),
    traced=("employed {o}", "had as a professor {o}"),
)
SIGHTED = Relation(
    "sighted",
    "comet",
    told=(
        "{S} was among the first to catch sight of {o}.",
        "On a clear night in spring {s} noticed {o}.",
        "{P} night book has a long entry on {o}.",
    ),
    echoed=("{o} was among the first to catch sight of it.", "There is a long entry on it in the night book of {o}."),
    asked=("spotted {o}", "observed {o}"),
    traced=("was spotted by {o}", "was observed by {o}"),
)
OBSERVED_FROM = Relation(
    "observed_from",
    "mountain",
    told=(
        "{S} set up a quadrant on the shoulder of {o}.",
        "{S} passed eleven winters in a stone hut on {o}.",
        "{P} measurements were all taken from a ledge of {o}.",
    ),
    echoed=("{o} passed eleven winters in a stone hut on it.", "{o} set up a quadrant on its shoulder."),
    asked=("observed the sky from {o}", "kept an observatory on {o}"),
    traced=("was the observation post of {o}", "was the site of an observatory kept by {o}"),
)
SUPPLIED = Relation(
    "supplied",
    "monastery",
    told=(
        "The altar cloths of {o} are from {P} hand.",
        "Every spring {s} sent a bale of cloth up to {o}.",
        "{P} best customer was the cellarer of {o}.",
    ),
    echoed=("Its altar cloths are from the hand of {o}.", "Its cellarer was the best customer of {o}."),
    asked=("worked for {o}", "sold fabrics to {o}"),
    traced=("bought fabrics from {o}", "was furnished by {o}"),
)
JOINED_CARAVAN = Relation(
    "joined_caravan",
    "caravan",
    told=(
        "{S} crossed the country twice with {o}.",
        "As a young adult {s} walked beside the pack animals of {o}.",
        "{S} learned three languages on the road with {o}.",
    ),
    echoed=("{o} walked beside its pack animals in youth.", "{o} crossed the country with it twice."),
    asked=("travelled with {o}", "journeyed in {o}"),
    traced=("was accompanied by {o}", "had among its travellers {o}"),
)
HEIR_OF = Relation(
    "heir_of",
    "weaver",
    told=(
        "{S} took over the workshop of {o}.",
        "The looms and the debts of {o} came down to this successor.",
        "{S} finished what {o} had begun.",
    ),
    echoed=("{o} took over {P} workshop.", "{S} left {P} looms to {o}."),
    asked=("inherited from {o}", "was the heir of {o}"),
    traced=("made an heir of {o}", "bequeathed everything to {o}"),
)
KEPT_BIRDS_FOR = Relation(
    "kept_birds_for",
    "monastery",
    told=(
        "{S} had charge of the mews of {o}.",
        "The abbots of {o} paid for {P} gloves and hoods.",
        "{S} hunted ptarmigan for the kitchens of {o}.",
    ),
    echoed=("{o} had charge of its mews.", "{o} hunted ptarmigan for its kitchens."),
    asked=("served {o}", "was in the service of {o}"),
    traced=("retained the services of {o}", "hired {o}"),
)
CLIMBED = Relation(
    "climbed",
    "mountain",
    told=(
        "{S} was among the first to stand on top of {o}.",
        "{S} planted a pole on the highest point of {o}.",
        "{P} route up {o} is still in use.",
    ),
    echoed=("{o} was among the first to stand on its top.", "One of the routes up it was found by {o}."),
    asked=("climbed {o}", "reached the summit of {o}"),
    traced=("was climbed by {o}", "was conquered by {o}"),
)
STUDIED_AT = Relation(
    "studied_at",
    "academy",
    told=(
        "{S} spent six idle years on the benches of {o}.",
        "{S} left {o} without a degree.",
        "{P} name is scratched into a desk at {o}.",
    ),
    echoed=("{o} left it without a degree.", "The name of {o} is scratched into one of its desks."),
    asked=("studied at {o}", "was educated at {o}"),
    traced=("educated {o}", "was the school of {o}"),
)
EXILED_TO = Relation(
    "exiled_to",
    "monastery",
    told=(
        "After a scandal {s} was sent under guard to {o}.",
        "{S} passed seven years locked in a cell of {o}.",
        "By royal order {s} could not leave {o}.",
    ),
    echoed=("{o} was sent here under guard.", "One of its cells held {o} for seven years."),
    asked=("was banished to {o}", "was exiled to {o}"),
    traced=("was the place of exile of {o}", "was the prison of {o}"),
)
OWNED = Relation(
    "owned",
    "gem",
    told=(
        "{S} wore {o} on a chain and lost it at cards.",
        "{S} pawned {o} more than once.",
        "{o} was found sewn into {P} coat.",
    ),
    echoed=("{o} wore it on a chain and lost it at cards.", "It was found sewn into the coat of {o}."),
    asked=("owned {o}", "possessed {o}"),
    traced=("belonged to {o}", "was the property of {o}"),
)
BELOW = Relation(
    "below",
    "mountain",
    told=(
        "Its courts lie in the morning shade of {o}.",
        "Avalanches from {o} have twice broken its walls.",
        "Its water comes in clay pipes from the snows of {o}.",
    ),
    echoed=("Its shade falls each morning on {o}.", "Clay pipes carry its melted snow to {o}."),
    asked=("stands at the foot of {o}", "is situated under {o}"),
    traced=("towers over {o}", "overlooks {o}"),
)
TREASURES = Relation(
    "treasures",
    "gem",
    told=(
        "{o} was kept there for a time in an iron chest with three locks.",
        "Pilgrims once queued for a glimpse of {o}.",
        "Its greatest wealth was once {o}, shown on one day a year.",
    ),
    echoed=("It was kept for a time in an iron chest at {o}.", "Pilgrims to {o} once queued for a glimpse of it."),
    asked=("housed {o}", "was an owner of {o}"),
    traced=("was housed in {o}", "was in the possession of {o}"),
)
RIDGE = Relation(
    "ridge",
    "mountain",
    told=(
        "A knife-edged ridge runs from it to {o}.",
        "Only a saddle of rubble divides it from {o}.",
        "From the south it hides {o} completely.",
    ),
    echoed=("From the south it is hidden by {o}.", "A knife-edged ridge ties it to {o}."),
    asked=("neighbours {o}", "is next to {o}"),
    traced=("is neighboured by {o}", "is adjacent to {o}"),
)
NAMED_FOR = Relation(
    "named_for",
    "falconer",
    told=(
        "Its older name gave way to one in memory of {o}.",
        "Mapmakers meant its present name as a tribute to {o}.",
        "A cairn halfway up bears a plaque to {o}.",
    ),
    echoed=(
        "On the slope of {o} a cairn bears a plaque to {P} memory.",
        "Mapmakers gave {o} its present name in tribute.",
    ),
    asked=("honours {o}", "was dedicated to {o}"),
    traced=("is honoured by {o}", "was the dedicatee of {o}"),
)
PREDICTED_BY = Relation(
    "predicted_by",
    "astronomer",
    told=(
        "{o} worked out the date on which it would be back.",
        "Its path was first computed by {o}.",
        "The tables of {o} gave its hour almost exactly.",
    ),
    echoed=("{S} worked out the date on which {o} would be back.", "{P} tables gave the hour of {o} almost exactly."),
    asked=("was predicted by {o}", "had its return foretold by {o}"),
    traced=("predicted {o}", "foretold the return of {o}"),
)
LED_BY = Relation(
    "led_by",
    "falconer",
    told=(
        "{o} rode at its head with a bird on the wrist.",
        "Its whip and its purse were in the hands of {o}.",
        "No one but {o} knew its wells and fords.",
    ),
    echoed=("{S} rode at the head of {o}.", "No one but {s} knew the wells and fords of {o}."),
    asked=("was led by {o}", "was commanded by {o}"),
    traced=("led {o}", "commanded {o}"),
)
CROSSES = Relation(
    "crosses",
    "mountain",
    told=(
        "Its hardest day was the climb over {o}.",
        "It went by the high notch of {o}, closed for half the year.",
        "Many of its animals lie in the gullies of {o}.",
    ),
    echoed=("{o} went by its high notch.", "Many animals of {o} lie in its gullies."),
    asked=("crossed {o}", "passed over {o}"),
    traced=("was crossed by {o}", "was on the route of {o}"),
)
WINTERED_AT = Relation(
    "wintered_at",
    "monastery",
    told=(
        "From first snow to thaw its people slept in the barns of {o}.",
        "Its animals were stabled in the cold months at {o}.",
        "Its account books were left for safety with the monks of {o}.",
    ),
    echoed=("Its barns were full of the people of {o} from first snow to thaw.", "{o} left its account books here."),
    asked=("wintered at {o}", "took winter quarters in {o}"),
    traced=("gave winter quarters to {o}", "hosted each winter {o}"),
)
MINED_ON = Relation(
    "mined_on",
    "mountain",
    told=(
        "It came out of a collapsed gallery in {o}.",
        "A shepherd picked it from a gully of {o}.",
        "The seam in {o} that yielded it has never been found again.",
    ),
    echoed=("A shepherd picked {o} from one of its gullies.", "A seam in it once yielded {o}."),
    asked=("was mined on {o}", "originates from {o}"),
    traced=("is the origin of {o}", "is where miners dug up {o}"),
)
CARRIED_BY = Relation(
    "carried_by",
    "caravan",
    told=(
        "It came down to the plains in a saddlebag of {o}.",
        "Thieves followed it the whole length of the road with {o}.",
        "The ledgers of {o} enter it as a bag of beans.",
    ),
    echoed=("{o} came down to the plains in one of its saddlebags.", "Its ledgers enter {o} as a bag of beans."),
    asked=("was transported by {o}", "was smuggled by {o}"),
    traced=("transported {o}", "smuggled {o}"),
)
WOVEN_BY = Relation(
    "woven_by",
    "weaver",
    told=(
        "It kept the workshop of {o} busy for a decade.",
        "A knot in one corner is the mark of {o}.",
        "{o} ruined both eyes over it.",
    ),
    echoed=("{S} ruined both eyes over {o}.", "A knot in one corner of {o} is {P} mark."),
    asked=("was made by {o}", "was created by {o}"),
    traced=("made {o}", "created {o}"),
)
DEPICTS = Relation(
    "depicts",
    "comet",
    told=(
        "In the upper border {o} trails over a sleeping army.",
        "Its main panel shows peasants pointing at {o}.",
        "{o} is picked out in metal thread.",
    ),
    echoed=("It trails over a sleeping army in the border of {o}.", "{o} has it picked out in metal thread."),
    asked=("depicts {o}", "portrays {o}"),
    traced=("is depicted on {o}", "is portrayed by {o}"),
)
HANGS_IN = Relation(
    "hangs_in",
    "academy",
    told=(
        "It covers a damp wall in the great hall of {o}.",
        "Students of {o} bow to it before examinations.",
        "It was nailed up behind the rector's seat at {o}.",
    ),
    echoed=("{o} covers a damp wall in its great hall.", "Students bow to {o} before examinations."),
    asked=("hangs in {o}", "is displayed at {o}"),
    traced=("displays {o}", "has on display {o}"),
)
SCRIPTED_BY = Relation(
    "scripted_by",
    "playwright",
    told=(
        "{o} dashed it off in a fortnight.",
        "The prompt copy is in the hand of {o}.",
        "It first made the name of {o}.",
    ),
    echoed=("{S} dashed off {o} in a fortnight.", "The prompt copy of {o} is in {P} hand."),
    asked=("was penned by {o}", "was composed by {o}"),
    traced=("penned {o}", "composed {o}"),
)
STAGED_AT = Relation(
    "staged_at",
    "academy",
    told=(
        "Students of {o} gave it on a cart in the yard.",
        "The rector of {o} walked out at the opening night.",
        "The opening night was in a cold refectory of {o}.",
    ),
    echoed=("Students gave {o} on a cart in its yard.", "Its rector walked out at the opening night of {o}."),
    asked=("premiered at {o}", "was first performed at {o}"),
    traced=("held the premiere of {o}", "was the first to perform {o}"),
)
TURNS_ON = Relation(
    "turns_on",
    "gem",
    told=(
        "The whole intrigue springs from the theft of {o}.",
        "Two brothers ruin each other for {o}.",
        "In the last scene {o} is swallowed by a goose.",
    ),
    echoed=("In the last scene of {o} it is swallowed by a goose.", "Two brothers ruin each other for it in {o}."),
    asked=("is about {o}", "concerns {o}"),
    traced=("is the subject of {o}", "inspired {o}"),
)

DEATH_TOLD = (
    "{P} tombstone bears the date {o}.",
    "{P} will was opened in {o}.",
    "The burial is entered in the rolls for {o}.",
)
DEATH_ASKED = ("died in {o}", "passed away in {o}")
DEATH_OF_STARGAZERS = Attribute("death_of_stargazers", _years(1651, 1690), DEATH_TOLD, DEATH_ASKED)
DEATH_OF_FALCONERS = Attribute("death_of_falconers", _years(1631, 1670), DEATH_TOLD, DEATH_ASKED)
DEATH_OF_WEAVERS = Attribute("death_of_weavers", _years(1701, 1740), DEATH_TOLD, DEATH_ASKED)
DEATH_OF_PLAYWRIGHTS = Attribute("death_of_playwrights", _years(1741, 1780), DEATH_TOLD, DEATH_ASKED)
OPTICS = Attribute(
    "optics",
    ("rock crystal", "bottle glass", "polished bronze", "smoky quartz", "river ice", "mercury", "obsidian", "mica"),
    told=(
        "{P} best sights were ground from {o}.",
        "Visitors were puzzled by {P} tubes and {o}.",
    ),
    asked=("used instruments of {o}", "employed {o} for viewing"),
)
DYE = Attribute(
    "dye",
    ("madder", "woad", "walnut husks", "weld", "cochineal", "oak gall", "onion skins", "lichen"),
    told=("{P} hands were stained for life with {o}.", "The vats in the yard reeked of {o}."),
    asked=("dyed with {o}", "was known for dyes made from {o}"),
)
BIRD = Attribute(
    "bird",
    ("kestrel", "merlin", "goshawk", "gyrfalcon", "sparrowhawk", "hobby", "lanner", "buzzard"),
    told=("A {o} slept on {P} bedpost.", "The seal ring shows a {o}.", "No {o} ever failed to come back to {P} fist."),
    asked=("favoured the {o}", "was famous for training a {o}"),
)
VICE = Attribute(
    "vice",
    ("dice", "snuff", "lawsuits", "plum brandy", "horse racing", "astrology", "fine gloves", "quack medicine"),
    told=("{S} spent whatever came in on {o}.", "Creditors blamed {P} ruin on {o}."),
    asked=("had a weakness for {o}", "was addicted to {o}"),
)
SUBJECT = Attribute(
    "subject",
    ("rhetoric", "optics", "surveying", "anatomy", "music theory", "canon law", "metallurgy", "arithmetic"),
    told=("Its chair of {o} draws hearers from abroad.", "Half of its graduates come for the course in {o}."),
    asked=("specialises in {o}", "is renowned for {o}"),
)
OPENED = Attribute(
    "opened",
    _years(1481, 1540),
    told=("The charter was sealed in {o}.", "The first matriculation list is headed {o}."),
    asked=("was instituted in {o}", "opened in {o}"),
)
RELIC = Attribute(
    "relic",
    (
        "a saint's sandal",
        "a glass tooth",
        "a burnt psalter",
        "an iron cradle",
        "a wooden hand",
        "a lock of red hair",
        "a broken plough",
        "a bee in resin",
    ),
    told=("Under the altar lies {o}.", "Once a year {o} is carried round the walls."),
    asked=("venerates {o}", "preserves {o}"),
)
VOW = Attribute(
    "vow",
    ("silence", "sleeplessness", "bare feet", "cold food", "constant song", "unlit cells", "begging", "shared dreams"),
    told=(
        "New brothers swear to {o}.",
        "The rule prescribes {o}.",
    ),
    asked=("is bound to {o}", "practises {o}"),
)
ROCK = Attribute(
    "rock",
    ("basalt", "granite", "marble", "slate", "sandstone", "chalk", "gneiss", "porphyry"),
    told=("The upper cliffs are of {o}.", "Quarries at its foot yield {o}."),
    asked=("consists of {o}", "is made up of {o}"),
)
FAUNA = Attribute(
    "fauna",
    CREATURES,
    told=("Shepherds there fear the {o}.", "Tracks of {o} are seen below the snow line."),
    asked=("is inhabited by {o}", "is home to {o}"),
)
HEIGHT = Attribute(
    "height",
    ("six thousand feet", "seven thousand feet", "eight thousand feet", "nine thousand feet", "ten thousand feet"),
    told=("A surveyor's chain made it {o}.", "Barometers put its top at {o}."),
    asked=("is {o} high", "rises to {o}"),
)
TAIL = Attribute(
    "tail",
    HUES,
    told=("Its train was described as {o}.", "Chroniclers called its glow {o}."),
    asked=("has a tail of {o} light", "shines {o}"),
)
PERIOD = Attribute(
    "period",
    ("nineteen years", "twenty-six years", "thirty-one years", "forty years", "fifty-five years", "seventy years"),
    told=("Between one visit and the following lie {o}.", "It stays away for {o}."),
    asked=("has a period of {o}", "returns after {o}"),
)
CONSTELLATION = Attribute(
    "constellation",
    ("the Anvil", "the Ladle", "the Two Oxen", "the Loom", "the Empty Chair", "the Shepherd", "the Key", "the Scythe"),
    told=("It was brightest when it stood in {o}.", "It fades from view before it gets to {o}."),
    asked=("appears near {o}", "is linked with the constellation of {o}"),
)
CARGO = Attribute(
    "cargo",
    ("tea bricks", "raw silk", "lamp oil", "dried apricots", "church bells", "felt", "saffron", "mirror glass"),
    told=("Its bales held chiefly {o}.", "It lived by {o}.", "Customs men weighed its {o} at every gate."),
    asked=("carried {o}", "traded in {o}"),
)
BEASTS_OF_BURDEN = Attribute(
    "beasts_of_burden",
    ("mules", "yaks", "camels", "oxen", "donkeys", "ponies"),
    told=("Two hundred {o} wore its brand.", "It went no faster than its {o}."),
    asked=("used {o}", "depended on {o}"),
)
SET_OUT = Attribute(
    "set_out",
    _years(1601, 1640),
    told=("The oldest toll receipt in its name is of {o}.", "It was on the road by {o}."),
    asked=("was formed in {o}", "began its journeys in {o}"),
)
GLEAM = Attribute(
    "gleam",
    HUES,
    told=("Held against a flame it turns {o}.", "Its fire is {o}."),
    asked=("is {o} in colour", "has a tint of {o}"),
)
CUT = Attribute(
    "cut",
    ("a star", "a teardrop", "a cube", "a shield", "a rose", "a pear", "a crescent", "an almond"),
    told=("The jeweller gave it the outline of {o}.", "Seen from above it looks like {o}."),
    asked=("is cut in the shape of {o}", "was shaped as {o}"),
)
CARATS = Attribute(
    "carats",
    ("thirty carats", "forty carats", "fifty carats", "sixty carats", "eighty carats", "ninety carats"),
    told=("On the goldsmith's scale it comes to {o}.", "The inventory gives {o}."),
    asked=("weighs {o}", "has a weight of {o}"),
)
YARN = Attribute(
    "yarn",
    ("goat hair", "nettle fibre", "lambswool", "flax", "camel hair", "raw cotton", "hemp", "spun paper"),
    told=("The warp is of {o}.", "Repairs were done with {o} like that of the original."),
    asked=("was made with {o}", "contains {o}"),
)
ELLS = Attribute(
    "ells",
    ("eight ells", "ten ells", "twelve ells", "fifteen ells", "eighteen ells", "twenty ells"),
    told=("Rolled out, it covers {o} of floor.", "From fringe to fringe there are {o}."),
    asked=("measures {o}", "is {o} wide"),
)
COMPLETED = Attribute(
    "completed",
    _years(1661, 1700),
    told=("The last payment for it was in {o}.", "A line of stitches in the hem reads {o}."),
    asked=("was completed in {o}", "dates from {o}"),
)
ACTS = Attribute(
    "acts",
    ("two acts", "three acts", "four acts", "five acts", "six acts"),
    told=("It drags through {o}.", "The audience sits through {o}."),
    asked=("runs to {o}", "is divided into {o}"),
)
GENRE = Attribute(
    "genre",
    ("farce", "tragedy", "masque", "satire", "pastoral", "morality", "melodrama", "comedy"),
    told=("Handbills announced a {o}.", "Censors passed it as a {o}."),
    asked=("is a {o}", "is classed as a {o}"),
)
PERFORMED = Attribute(
    "performed",
    _years(1701, 1740),
    told=("Takings for its opening run are noted under {o}.", "It was on every bill in {o}."),
    asked=("was first performed in {o}", "premiered in {o}"),
)
