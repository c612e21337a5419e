"""`coqui_client.formats` on replies made up here."""

import json
import re

import pytest

from coqui_client import formats
from coqui_client.formats import EXTENSIONS
from coqui_client.reply import Reply
from coqui_transcript.transcript import Segment, Transcript
from tests.support.transcripts import transcript

CUE = re.compile(r"\d{2,}:[0-5]\d:[0-5]\d[.,]\d{3} --> \d{2,}:[0-5]\d:[0-5]\d[.,]\d{3}")


def render(one: Transcript, form: str) -> str:
    """What the client writes of a reply with this transcript."""
    return formats.render(Reply(one, {"text": one.text}), form)


def test_text_and_json() -> None:
    """Text is the transcript alone; JSON is the reply with its letters as they are."""
    one = transcript(text=" Привет \n")
    assert render(one, "text") == "Привет\n"
    assert "Привет" in render(one, "json")
    assert json.loads(render(one, "json")) == {"text": " Привет \n"}


@pytest.mark.parametrize("form", EXTENSIONS)
def test_silence(form: str) -> None:
    """A transcript without a word is a valid file without a cue in every format."""
    made = render(transcript(Segment(0, 1, "  ")), form)
    assert not CUE.search(made)
    assert made == "" or made.endswith("\n")
