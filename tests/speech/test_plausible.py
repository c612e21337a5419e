"""`coqui_server.speech.plausible`: how much speech a text needs."""

import pytest

from coqui_server.speech.plausible import needed


@pytest.mark.parametrize(
    ("text", "confidence", "seconds"),
    [
        ("", None, 0.0),
        ("Thank you for watching!", 0.5, 0.4),
        ("Thank you for watching!", None, 0.4),
        ("Thank you for watching!", 0.95, 0.2),
        ("You", 0.95, 0.05),
        ("no no no", 0.5, 0.3),
        ("No, no, no, no!", 0.5, 0.8),
        ("I'm so glad   I'm so glad   I'm so glad   I'm so glad", 0.95, 2.4),
        ("You feel" + " a little bit of" * 5, 0.7, 4.4),
        ("He said no no no no and left the room at once for the garden", 0.5, 1.5),
        ("ha haha hahaha hahahaha", 0.5, 0.4),
    ],
)
def test_the_speech_a_text_needs(text: str, confidence: float | None, seconds: float) -> None:
    """A tenth of a second a word, half where the recogniser is sure, twice in circles."""
    assert needed(text, confidence, 0.1) == pytest.approx(seconds)


def test_nothing_is_needed_where_it_is_off() -> None:
    """With 0 seconds a word, every text is believed."""
    assert needed("You " * 50, None, 0.0) == 0.0
