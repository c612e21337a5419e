"""The sound of a microphone, through ffmpeg's devices (https://ffmpeg.org/ffmpeg-devices.html)."""

import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing

from coqui_client.exceptions import SoundError
from coqui_client.sound import Form, decoded


def sources(platform: str, name: str) -> list[list[str]]:
    """ffmpeg's arguments for this platform, to be tried in turn; `name` may be empty.

    Args:
        platform: as `sys.platform` has it.
    """
    if platform == "darwin":
        return [["-f", "avfoundation", "-i", f":{name or 'default'}"]]
    if platform == "win32":
        # The buffer, by default 500 ms, delays everything.
        return [["-f", "dshow", "-audio_buffer_size", "50", "-i", f"audio={name}"]]
    # Pulse buffers two seconds by default; 3200 bytes are 100 ms.
    little = ["-sample_rate", "16000", "-channels", "1", "-fragment_size", "3200"]
    device = name or "default"
    return [["-f", "pulse", *little, "-i", device], ["-f", "alsa", "-i", device]]


async def listen(name: str, form: Form) -> AsyncGenerator[bytes, None]:
    """The endless sound of the microphone called `name`, or of the system's if that is empty.

    Close the generator to stop. See `sound.decoded`.

    Raises:
        SoundError: there is no such microphone, or it is gone.
    """
    failures = []
    for source in sources(sys.platform, name):
        heard = False
        try:
            async with aclosing(decoded(source, form)) as sound:
                async for frame in sound:
                    heard = True
                    yield frame
        except SoundError as failure:
            if heard:
                raise
            failures.append(f"{source[1]}: {failure}")
        else:
            return
    raise SoundError("; ".join(failures))
