"""What the tests of `coqui_server.speech` share: both ffmpegs, and files made once."""

import shutil
from pathlib import Path

import imageio_ffmpeg
import pytest

from coqui_server.config.audio import FfmpegSettings
from tests.support.media import Media


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Media:
    """Files of every kind with the same sound."""
    return Media(tmp_path_factory.mktemp("media"))


@pytest.fixture(params=["bundled", "system"])
def ffmpeg(request: pytest.FixtureRequest) -> FfmpegSettings:
    """The two that may be found: the newest, in a package, and what Debian has."""
    if request.param == "bundled":
        return FfmpegSettings(path=Path(imageio_ffmpeg.get_ffmpeg_exe()))
    found = shutil.which("ffmpeg")
    if found is None:
        pytest.skip("this system has no ffmpeg of its own (Debian: apt-get install ffmpeg)")
    return FfmpegSettings(path=Path(found))
