"""Settings of the text that leaves the daemon."""

from typing import Literal

from pydantic import Field

from coqui_server.config.section import Section

TextFormat = Literal["verbatim", "readable"]
"""Text as the engine gives it, or as people write it."""

_EITHER = "verbatim or readable"


class TextSettings(Section):
    """What a request may choose for itself with `format`."""

    format: TextFormat = Field("readable", description=_EITHER)
    """verbatim: text as the engine gives it. readable: as people write it, with capitals, and with
    numbers, money, dates and addresses in figures."""
    calls: TextFormat = Field("readable", description=_EITHER)
    """The same for telephone calls over RTP, which have no request."""
    vosk: TextFormat = Field("verbatim", description=_EITHER)
    """The same for clients of the vosk-server protocol, which may count on words."""
    word_times: bool = Field(True, description="true or false")
    """Find out when each word of a final was said, where the engine does not tell (Moonshine). For
    English, and with the package pocketsphinx."""
