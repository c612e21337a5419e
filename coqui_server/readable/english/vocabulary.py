"""English words that tell what the numbers beside them are."""

from coqui_server.readable.tokens import listed, words

DIGITS = {
    word: str(value)
    for value, word in enumerate(listed("zero one two three four five six seven eight nine"))
} | {"oh": "0", "o": "0", "nought": "0", "naught": "0"}
"""Words of single digits, as they are said one after the other."""

REPEATS = {"double": 2, "triple": 3, "treble": 3}

TEENS = {
    word: str(value)
    for value, word in enumerate(
        listed("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"),
        start=10,
    )
}
TENS = {
    word: str(value)
    for value, word in enumerate(
        listed("twenty thirty forty fifty sixty seventy eighty ninety"), start=2
    )
}

SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
"""The zeros of each."""

MONTHS = words(
    "january february march april may june july august september october november december"
)
MODAL_MONTHS = frozenset(("march", "may"))
"""Months that are verbs as well."""

WEEKDAYS = words("monday tuesday wednesday thursday friday saturday sunday")

CURRENCIES = {"dollar": "$", "dollars": "$", "euro": "€", "euros": "€", "yen": "¥"}
"""Without pounds, which are weights as well."""

HUNDREDTHS = {
    "$": frozenset(("cent", "cents")),
    "€": frozenset(("cent", "cents")),
    "£": frozenset(("penny", "pence", "p")),
    "¥": frozenset[str](),
}

UNITS = words(
    "kilometer kilometers kilometre kilometres meter meters metre metres centimeter centimeters "
    "centimetre centimetres millimeter millimeters millimetre millimetres mile miles foot feet "
    "inch inches kilogram kilograms kilo kilos gram grams milligram milligrams ton tons tonne "
    "tonnes liter liters litre litres milliliter milliliters millilitre millilitres degree "
    "degrees volt volts watt watts kilowatt kilowatts hertz kilohertz megahertz gigahertz "
    "kilobyte kilobytes megabyte megabytes gigabyte gigabytes terabyte terabytes megabit "
    "megabits gigabit gigabits decibel decibels mph pixels horsepower calories cent cents pence "
    "acres hectares"
)
"""Units before which even small numbers are written in digits."""

COUNTED = words(
    "second seconds minute minutes hour hours day days week weeks month months year years "
    "people times percent per items pieces points"
)
"""What is counted, so that a number before it is neither a time nor a year."""

NUMBERED = words(
    "room page chapter verse section figure extension ext flight gate platform lane unit "
    "apartment suite highway route interstate channel bus train terminal pin code invoice ticket "
    "version seat row bay option"
)
"""Things that have numbers: those are written in digits."""

YEAR_CUES = (
    words(
        "in since of by from until till before after during year around early late summer winter "
        "spring autumn fall circa copyright"
    )
    | MONTHS
)
"""Words that are before a year."""

CLOCK_CUES = words("at by until till since")
"""Words that are before a time of day."""

STREETS = words("street avenue road boulevard lane drive court terrace")

ACRONYMS = words(
    "ai ac bbc cd cnn cpu cv dj dna dvd ebay eu fbi gp gps hiv html http https ibm id iq it ip "
    "irs isbn mp mri nasa nhs pc pdf phd pin pr qr rv sms sos sql suv tv uk un url us usa usb "
    "uv vat vip vpn wc xml ok po hdmi mpeg"
)
"""Letters that are said one by one and written as one word."""

TOP_DOMAINS = words(
    "com org net edu gov mil int info biz io ai app dev me tv uk us ca au nz ie in de fr es it "
    "nl be at ch eu se no dk fi pl pt br mx jp cn kr za ir ru co"
)
"""Endings of domain names that are said after "dot"."""

SYMBOLS = {"dot": ".", "underscore": "_", "dash": "-", "hyphen": "-", "plus": "+"}
"""What is said between the parts of an address."""

NO_NAMES = words(
    "me us it him her them you here there look looks looking is are was be am been arrive "
    "arrived go visit visited found available site website page home work us up out in on off "
    "based one meet see read more information download register shop buy back live people "
    "everyone someone address email mail and or not now today find listed account order orders "
    "online only again stay apply join learn check start log book help"
) - {"help"}
"""Words that are before "at" and are no mailbox."""
