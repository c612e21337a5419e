"""`make demo`, as a newcomer runs it."""

import subprocess
import sys

import pytest

from tests.support.clips import ROOT, clip, spoken

pytestmark = pytest.mark.process


def test_the_demo_shows_what_was_said_and_heard() -> None:
    """Exit code 0, and each English sample's words from its text and from the daemon, the one that
    is called as well."""
    shown = subprocess.run(
        [sys.executable, "-m", "tools.demo"], capture_output=True, encoding="utf-8", cwd=ROOT
    )
    assert shown.returncode == 0, shown.stderr
    for name in ("appointment.wav", "telephone.wav", "voicemail.wav", "weather.flac"):
        times = 4 if name == "voicemail.wav" else 2
        assert spoken(shown.stdout).count(spoken(clip(name).text)) == times
