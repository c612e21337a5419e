"""How the tests and the maker of screenshots start Debian's Chromium: without a window, without
what it asks the internet by itself, and with a microphone that plays a file."""

from pathlib import Path

SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def fake_microphone(sound: Path) -> tuple[str, ...]:
    """Switches for a microphone that plays this WAV file once, each time it is opened."""
    return (
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}%noloop",
    )
