"""The English names of languages, as Whisper and OpenAI write them."""

from collections.abc import Mapping

_NAMES: Mapping[str, str] = dict(
    entry.split(":")
    for line in """
        af:afrikaans am:amharic ar:arabic as:assamese az:azerbaijani ba:bashkir be:belarusian
        bg:bulgarian bn:bengali bo:tibetan br:breton bs:bosnian ca:catalan cs:czech cy:welsh
        da:danish de:german el:greek en:english es:spanish et:estonian eu:basque fa:persian
        fi:finnish fo:faroese fr:french gl:galician gu:gujarati ha:hausa haw:hawaiian he:hebrew
        hi:hindi hr:croatian hu:hungarian hy:armenian id:indonesian is:icelandic it:italian
        ja:japanese jw:javanese ka:georgian kk:kazakh km:khmer kn:kannada ko:korean la:latin
        lb:luxembourgish ln:lingala lo:lao lt:lithuanian lv:latvian mg:malagasy mi:maori
        mk:macedonian ml:malayalam mn:mongolian mr:marathi ms:malay mt:maltese my:myanmar ne:nepali
        nl:dutch nn:nynorsk no:norwegian oc:occitan pa:punjabi pl:polish ps:pashto pt:portuguese
        ro:romanian ru:russian sa:sanskrit sd:sindhi si:sinhala sk:slovak sl:slovenian sn:shona
        so:somali sq:albanian sr:serbian su:sundanese sv:swedish sw:swahili ta:tamil te:telugu
        tg:tajik th:thai tk:turkmen tl:tagalog tr:turkish tt:tatar uk:ukrainian ur:urdu uz:uzbek
        vi:vietnamese yi:yiddish yo:yoruba zh:chinese yue:cantonese
    """.splitlines()
    for entry in line.split()
) | {"ht": "haitian creole"}
"""By ISO 639 codes; Whisper's own code for Javanese."""

_UNKNOWN = "unknown"


def language_name(tag: str | None) -> str:
    """The name of the language of a BCP 47 tag: "english" of "en-GB". A tag that is not known here
    is its own name, and "unknown" that of no tag."""
    if tag is None:
        return _UNKNOWN
    return _NAMES.get(tag.partition("-")[0].lower(), tag)
