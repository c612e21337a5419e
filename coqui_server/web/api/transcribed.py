"""The transcript of a form's file, for the surfaces that answer in the same request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi.responses import PlainTextResponse, Response

from coqui_server.exports import FORMATS, Document
from coqui_server.transcription.events import Sink
from coqui_server.transcription.files import transcribe
from coqui_server.transcription.service import Service
from coqui_server.transcription.wishes import FILE_NAMES, FileWishes
from coqui_server.transcription.wording import language as language_of
from coqui_server.web.one_file import OneFile
from coqui_transcript.transcript import Transcript


@dataclass(frozen=True)
class Transcribed:
    """A file's transcript.

    Attributes:
        name: of the file.
        engine: that made it.
        language: of the text, as a BCP 47 tag; None if only the sound could tell.
    """

    name: str
    engine: str
    language: str | None
    transcript: Transcript

    @property
    def document(self) -> Document:
        """The transcript as exports take it."""
        said = self.transcript
        now = datetime.now(UTC)
        return Document(self.name, now, self.engine, said.duration, said.segments, said.warnings)

    def exported(self, format: str) -> bytes:
        """The transcript in one of `FORMATS`."""
        return FORMATS[format].render(self.document)

    def as_text(self, format: str) -> Response | None:
        """The answer in one of OpenAI's formats that are no JSON; None for the others."""
        match format:
            case "text":
                return PlainTextResponse(f"{self.transcript.text}\n")
            case "srt" | "vtt":
                return PlainTextResponse(self.exported(format))
        return None


async def transcribed(
    service: Service,
    file: OneFile,
    *,
    engine: str | None = None,
    language: str | None = None,
    prompt: str | None = None,
    translate: bool = False,
    otherwise: Mapping[str, str] = {},
    sinks: Sequence[Sink] = (),
) -> Transcribed:
    """Transcribe a file in a session of its own, with the wishes that its form has.

    Args and raises as `transcription.files.transcribe`, but to translate is a matter of the first
    engine that does, if none is named. `otherwise` has wishes that count where the form has none.
    """
    async with file.chunks() as chunks:
        session, transcript = await transcribe(
            service,
            chunks,
            path=file.path,
            engine=engine or (_translator(service) if translate else None),
            language=language,
            prompt=prompt,
            translate=translate,
            wishes=FileWishes.of(otherwise, _wishes(file)),
            label=file.name,
            owner=file.owner,
            sinks=sinks,
        )
    spoken = "en" if translate else language_of(session.engine, language, service.settings)
    return Transcribed(file.name, session.engine.name, spoken, transcript)


def _wishes(file: OneFile) -> dict[str, str | None]:
    """What the form says; it may have a field for each term, which OpenAI calls a keyword."""
    terms = ",".join(term for name in ("terms", "keywords") for term in file.fields.get(name, ()))
    return {**{name: file.value(name) for name in FILE_NAMES}, "terms": terms}


def _translator(service: Service) -> str | None:
    able = (engine.name for engine in service.engines if engine.capabilities.translates)
    return next(able, None)
