"""Every error the client raises on purpose.

::

    ClientError
    +-- UnreachableError   nothing answers at the address; exit code 3
    +-- RefusedError       the daemon said no, and why; has its code
    |   +-- BusyError      no room now; worth trying again
    +-- LostError          the connection ended before a reply
    +-- SoundError         ffmpeg makes no sound of the file
    +-- UnheardError       the daemon heard nothing of a telephone call
    +-- ReplyError         the reply is not what the protocol says
"""


class ClientError(Exception):
    """Root of the errors above; `str()` of it is one line fit for a terminal."""


class UnreachableError(ClientError):
    """No WebSocket server answers at the address; the text is the reason."""


class RefusedError(ClientError):
    """The daemon answered with a failure.

    Attributes:
        code: the daemon's machine-readable word, or the WebSocket close code in digits when it
            could send no more than that.
    """

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class BusyError(RefusedError):
    """The daemon has no room for another session."""


class LostError(ClientError):
    """The connection ended, or went silent, before a reply."""


class SoundError(ClientError):
    """The file is not one that ffmpeg can read, holds no sound, or ffmpeg cannot be run."""


class UnheardError(ClientError):
    """The daemon's events show no sign of the telephone call we made."""


class ReplyError(ClientError):
    """The reply cannot be read as a transcript."""
