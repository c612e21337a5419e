"""Documents to export."""

from datetime import UTC, datetime

from hypothesis import strategies as some

from coqui_server.exports import Document
from coqui_transcript.transcript import Segment, Word

WHEN = datetime(2026, 11, 21, 18, 27, tzinfo=UTC)

PERSIAN = "این جملهٔ فارسی تقریباً کوتاه است، می‌بینید؟"
KOREAN = "안녕하세요. 회의는 API v2 배포에 관한 것입니다."
MIXED = "قیمت Visual Studio 2024 چند است؟"
HOSTILE = "<b>a & b</b> {nb} --> \x00\x1b[31m\u202egnp\u202c \ud800\uffff **c** ]]>"


def document(*texts: str, title: str = "Voicemail") -> Document:
    """One segment of five seconds for each text."""
    segments = (Segment(n * 5.0, n * 5.0 + 4.5, text) for n, text in enumerate(texts))
    return Document(title, WHEN, "moonshine", len(texts) * 5.0, tuple(segments))


seconds = some.floats(0, 1e6)
texts = some.text(some.characters())
documents = some.builds(
    Document,
    title=texts,
    when=some.datetimes(timezones=some.just(UTC)),
    engine=some.just("vosk"),
    duration=seconds,
    segments=some.lists(
        some.builds(
            Segment,
            seconds,
            seconds,
            texts,
            speaker=some.none() | texts,
            words=some.lists(some.builds(Word, texts, seconds, seconds)).map(tuple),
        )
    ).map(tuple),
)
"""Any text at all, lone surrogates and controls too."""
