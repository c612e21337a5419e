"""Every error the daemon raises on purpose.

::

    CoquiServerError
    +-- ConfigError            the configuration cannot be used; exit code 2
    +-- RequestError           what a caller sent cannot be served; has a code and a close code
    |   +-- NotAudio           not an audio or video file, or one without sound
    |   +-- TooLarge           more bytes, or more hours, than the configuration allows
    |   +-- Idle               the caller stopped sending before the end
    |   +-- GoingAway          the daemon is shutting down and waits no longer
    |   +-- Busy               no room for another session now
    |   +-- BadRequest         a message that is none of the protocol's, or at the wrong time
    |   +-- BadCommand         a command that is none of ours, or with a value it does not take
    |   +-- NoSuchCall         a command about a call that is not there
    |   +-- NotFound           nothing of this name is kept, or it is somebody else's
    |   +-- StillRunning       not while it is running
    |   +-- NotSignedIn        nobody, or nobody we know, where somebody has to sign in
    |   +-- Forbidden          not for this user, or not proved to come from our own pages
    |   +-- NameTaken          an account has this name
    |   +-- TooManyAttempts    at signing in; has the seconds to wait
    |   +-- ServerFault        ours: an engine or ffmpeg failed
    |       +-- EngineError    the recogniser failed on an utterance
    |       |   +-- ServiceError  a remote one refused, failed or did not answer
    |       +-- TranscodeError ffmpeg could not be run or got stuck
    |       +-- StoreError     the store is locked, full or gone
    +-- ModelError             a model that there is not, or that is not what it should be
    |   +-- ModelUnreachable   its publisher cannot be reached now
    +-- LibraryError           a native library refused a call; has its code
    +-- SessionClosed          written to after its end
    +-- MalformedPacket        a datagram that is not what its first bytes say
"""

import math


class CoquiServerError(Exception):
    """Root of the errors above."""


class ConfigError(CoquiServerError):
    """A setting that cannot be used: its key, what was found and what is allowed.

    Attributes:
        fix: the one command that mends it, if there is one.
    """

    def __init__(self, key: str, problem: str, *, fix: str | None = None) -> None:
        super().__init__(key, problem)
        self.key = key
        self.problem = problem
        self.fix = fix

    def __str__(self) -> str:
        mend = f"; run: {self.fix}" if self.fix else ""
        return f"{self.key}: {self.problem}{mend}" if self.key else self.problem


class RequestError(CoquiServerError):
    """A refusal a caller can act on.

    Attributes:
        code: machine-readable word for the reply.
        close_code: WebSocket close code (RFC 6455 section 7.4, IANA registry).
        http_status: of the reply, where it was asked for by HTTP.
    """

    code = "refused"
    close_code = 1008
    http_status = 400


class NotAudio(RequestError):
    """The bytes hold nothing that can be listened to."""

    close_code = 1003
    http_status = 415

    def __init__(self, message: str, code: str = "not_audio") -> None:
        super().__init__(message)
        self.code = code


class TooLarge(RequestError):
    """A limit of the configuration was passed; the message names it."""

    code = "too_large"
    close_code = 1009
    http_status = 413


class Idle(RequestError):
    """Nothing came for `server.idle` seconds."""

    code = "idle"
    close_code = 1008
    http_status = 408


class GoingAway(RequestError):
    """The daemon is shutting down and waits no longer; what was said until now is answered."""

    code = "going_away"
    close_code = 1001
    http_status = 503


class Busy(RequestError):
    """No room for another session now; the same request may succeed later."""

    code = "busy"
    close_code = 1013
    http_status = 503


class BadRequest(RequestError):
    """A message the protocol does not have, or not now; its text says what would be right."""

    code = "bad_request"


class BadCommand(RequestError):
    """A command on the events socket that cannot be understood; the message says what can."""

    code = "bad_command"


class NoSuchCall(RequestError):
    """A command about a call that is not there."""

    code = "no_such_call"
    http_status = 404


class NotFound(RequestError):
    """What is asked for is not kept here, or belongs to somebody else, who stays unnamed."""

    code = "not_found"
    http_status = 404


class StillRunning(RequestError):
    """What is asked for has to wait until a session or a job has ended."""

    code = "running"
    http_status = 409


class NotSignedIn(RequestError):
    """No token and no cookie, or one that is forged, revoked or too old."""

    code = "unauthorized"
    close_code = 3000
    http_status = 401


class Forbidden(RequestError):
    """Something that this user may not do, or that did not come from a page of ours."""

    code = "forbidden"
    close_code = 3003
    http_status = 403


class NameTaken(RequestError):
    """Somebody else has this name."""

    code = "name_taken"
    http_status = 409


class TooManyAttempts(RequestError):
    """Somebody guesses passwords, or makes one account after another.

    Attributes:
        wait: seconds until the next attempt.
    """

    code = "too_many_attempts"
    http_status = 429

    def __init__(self, wait: float) -> None:
        super().__init__(f"too many attempts; try again in {math.ceil(wait / 60)} minutes")
        self.wait = wait


class ServerFault(RequestError):
    """Not the caller's fault. The log has the details under the session id."""

    code = "internal"
    close_code = 1011
    http_status = 500


class EngineError(ServerFault):
    """The recogniser failed on an utterance."""

    code = "engine_failed"


class ServiceError(EngineError):
    """A remote recogniser refused, failed, or did not answer in time.

    Attributes:
        service: the engine's name.
        status: of the HTTP reply, if there was one.
        reason: what the service said, without keys and without transcripts.
        retryable: whether the same request may go better, and cannot be billed twice.
        wait: seconds the service asked to be left alone for.
    """

    def __init__(
        self,
        service: str,
        reason: str,
        *,
        status: int | None = None,
        retryable: bool = False,
        wait: float | None = None,
    ) -> None:
        super().__init__(service, reason)
        self.service = service
        self.status = status
        self.reason = reason
        self.retryable = retryable
        self.wait = wait

    def __str__(self) -> str:
        status = "" if self.status is None else f"{self.status}, "
        return f"the service {self.service} failed: {status}{self.reason}"


class TranscodeError(ServerFault):
    """ffmpeg could not be started, or made no progress within `ffmpeg.timeout`."""

    code = "transcode_failed"


class StoreError(ServerFault):
    """The store could not keep or give something: its database or disk is locked, full or gone.

    Attributes:
        full: there is no room on its disk; the code is then `disk_full`.
        refused: the values could not be kept; others can.
    """

    code = "store_failed"
    http_status = 503

    def __init__(self, reason: str, *, full: bool = False, refused: bool = False) -> None:
        super().__init__(f"the store failed: {reason}")
        self.full = full
        self.refused = refused
        if full:
            self.code, self.http_status = "disk_full", 507


class ModelError(CoquiServerError):
    """A model that there is not, or that is not what its publisher says."""


class ModelUnreachable(ModelError):
    """A publisher of models that does not answer, or cannot be reached from here."""


class LibraryError(CoquiServerError):
    """What a native library answered instead of doing what it was asked for."""

    def __init__(self, code: int, meaning: str) -> None:
        super().__init__(code, meaning)
        self.code = code
        self.meaning = meaning

    def __str__(self) -> str:
        return f"{self.meaning.rstrip('.')} (error 0x{self.code:04X})"


class SessionClosed(CoquiServerError):
    """Sound was written to a session after its end."""


class MalformedPacket(CoquiServerError):
    """A datagram that is not RTP or RTCP, or is cut off. It is counted and dropped."""
