"""The benchmark of word errors: each path hears a clip, and says when."""

import asyncio

import pytest

from benchmarks import paths
from benchmarks.live import configured
from benchmarks.paths import Heard
from benchmarks.speech import SAMPLES, clips, errors
from benchmarks.wer import Run, row
from tools.daemon import running

pytestmark = pytest.mark.process


async def test_each_path() -> None:
    """The words of the clip come whole; what is spoken is shown before it ends, a file after."""
    clip = next(clip for clip in clips(SAMPLES) if clip.path.name == "voicemail.wav")
    ways = [paths.live, *map(paths.call, paths.CODECS)]
    with running(paths.DYNAMIC) as daemon:
        uploaded = await paths.file(daemon, clip, configured(""))
        spoken = await asyncio.gather(*(way(daemon, clip, configured("")) for way in ways))
    for heard in (uploaded, *spoken):
        assert errors([clip.text], [heard.text]).wer == 0
    assert uploaded.first == uploaded.last
    assert all(heard.first and heard.last for heard in spoken)


def test_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    """Words missed, added and wrong of all clips, and processor time for their sound."""
    found = [clip for clip in clips(SAMPLES) if clip.path.suffix == ".wav"]
    heard = [Heard(clip.text.lower().replace("your ", "my "), 0.5, 1.0) for clip in found]
    seconds = sum(len(clip.pcm()) / 16_000 for clip in found)
    assert row("moonshine, live", found, Run(heard, seconds / 4, 200_000_000)) == 2 / 43
    assert capsys.readouterr().out.split() == [
        "moonshine,",
        "live",
        "4.65%",
        "0",
        "0",
        "2",
        "0.250",
        "0.50",
        "s",
        "1.00",
        "s",
        "200",
        "MB",
    ]
