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
    |   +-- BadRequest         a message that the protocol does not have, or not at this time
    |   |   +-- UnknownEngine  there is no engine of this name
    |   |   +-- NothingToCommit  a client ended a turn in which it sent no sound
    |   +-- BadCommand         an unknown command, or one with a wrong value
    |   +-- NoSuchCall         a command about a call that does not exist
    |   +-- NotFound           there is nothing of this name in the caller's scope
    |   +-- StillRunning       it has to end first
    |   +-- NotSignedIn        no valid token or cookie, where signing in is required
    |   +-- ForeignHost        it asks for a host that is not this one
    |   +-- Forbidden          not allowed for this user, or not from a page of ours
    |   +-- NameTaken          another account has this name
    |   +-- TooManyAttempts    of signing in; has the seconds to wait
    |   +-- ServerFault        our fault: an engine, ffmpeg or the store failed
    |       +-- EngineError    the recogniser failed on an utterance
    |       |   +-- ServiceError  a remote one refused, failed or did not answer
    |       +-- TranscodeError ffmpeg could not be run or got stuck
    |       +-- StoreError     the store is locked, full or unreachable
    |       |   +-- TakenOver  what a worker writes for a job that is not its own any more
    |       +-- ClusterFault   Redis or another server cannot be reached, or does not answer
    +-- ModelError             a model that does not exist, or is not what it should be
    |   +-- ModelUnreachable   its publisher cannot be reached
    +-- LibraryError           a native library refused a call; has its code
    +-- NotAligned             a text whose words could not be found in its sound
    +-- SessionClosed          written to after its end
    +-- MalformedPacket        a datagram that is not what its header says
"""

import math


class CoquiServerError(Exception):
    """Root of the errors above."""


class ConfigError(CoquiServerError):
    """A setting that cannot be used: its key, what was found and what is allowed.

    Attributes:
        fix: the command that solves it, if there is one.
    """

    def __init__(self, key: str, problem: str, *, fix: str | None = None) -> None:
        super().__init__(key, problem)
        self.key = key
        self.problem = problem
        self.fix = fix

    def __str__(self) -> str:
        fix = f"; run: {self.fix}" if self.fix else ""
        return f"{self.key}: {self.problem}{fix}" if self.key else self.problem


class RequestError(CoquiServerError):
    """A refusal that the caller can act on.

    Attributes:
        code: machine-readable word for the reply.
        close_code: WebSocket close code (RFC 6455 section 7.4, IANA registry).
        http_status: of the reply to an HTTP request.
    """

    code = "refused"
    close_code = 1008
    http_status = 400


class NotAudio(RequestError):
    """The bytes are not sound, or have none."""

    close_code = 1003
    http_status = 415

    def __init__(self, message: str, code: str = "not_audio") -> None:
        super().__init__(message)
        self.code = code


class TooLarge(RequestError):
    """A limit of the configuration was exceeded; the message names it."""

    code = "too_large"
    close_code = 1009
    http_status = 413


class Idle(RequestError):
    """Nothing came for `server.idle` seconds."""

    code = "idle"
    close_code = 1008
    http_status = 408


class GoingAway(RequestError):
    """The daemon is shutting down. What was said so far is answered."""

    code = "going_away"
    close_code = 1001
    http_status = 503


class Busy(RequestError):
    """No room for another session now; the same request may succeed later.

    Attributes:
        retry: seconds after which it may be tried again.
    """

    retry = 5
    code = "busy"
    close_code = 1013
    http_status = 503


class BadRequest(RequestError):
    """A message that the protocol does not have, or not at this time; the text says what is
    right."""

    code = "bad_request"


class UnknownEngine(BadRequest):
    """There is no engine of this name here; the text says which there are."""


class NothingToCommit(BadRequest):
    """A client ended a turn in which it sent no sound. The code is OpenAI's."""

    code = "input_audio_buffer_commit_empty"


class BadCommand(RequestError):
    """A wrong command on the events socket; the message says what is right."""

    code = "bad_command"


class NoSuchCall(RequestError):
    """A command about a call that does not exist."""

    code = "no_such_call"
    http_status = 404


class NotFound(RequestError):
    """There is nothing of this name, or it is outside the caller's scope: the two look the same."""

    code = "not_found"
    http_status = 404


class StillRunning(RequestError):
    """A session or a job has to end first."""

    code = "running"
    http_status = 409


class NotSignedIn(RequestError):
    """There is no token and no cookie, or one that is forged, revoked or too old."""

    code = "unauthorized"
    close_code = 3000
    http_status = 401


class ForeignHost(RequestError):
    """The `Host` header names another host: a page may have given its own name our address."""

    code = "foreign_host"
    http_status = 421

    def __init__(self, host: str) -> None:
        super().__init__(f"this server is not {host[:100]}; see server.hosts")
        self.host = host


class Forbidden(RequestError):
    """Something that this user may not do, or that does not come from a page of ours."""

    code = "forbidden"
    close_code = 3003
    http_status = 403


class NameTaken(RequestError):
    """Another account has this name."""

    code = "name_taken"
    http_status = 409


class TooManyAttempts(RequestError):
    """Too many wrong passwords, or new accounts, from one address or for one name.

    Attributes:
        wait: seconds until the next attempt.
    """

    code = "too_many_attempts"
    http_status = 429

    def __init__(self, wait: float) -> None:
        super().__init__(f"too many attempts; try again in {math.ceil(wait / 60)} minutes")
        self.wait = wait


class ServerFault(RequestError):
    """Our fault, not the caller's. The log has the details with the session id."""

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
        reason: of the service, without keys and transcripts.
        retryable: whether the same request may succeed later, and is not billed twice.
        wait: seconds that the service asked us to wait.
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
    """The store failed: its database or disk is locked, full or unreachable.

    Attributes:
        full: the disk is full; the code is then `disk_full`.
        refused: these values cannot be stored; others can.
    """

    code = "store_failed"
    http_status = 503

    def __init__(self, reason: str, *, full: bool = False, refused: bool = False) -> None:
        super().__init__(f"the store failed: {reason}")
        self.full = full
        self.refused = refused
        if full:
            self.code, self.http_status = "disk_full", 507


class TakenOver(StoreError):
    """A worker writes for a job that is not its own any more: its lease or the job has ended."""

    def __init__(self) -> None:
        super().__init__("this job is no longer this worker's", refused=True)


class ClusterFault(ServerFault):
    """Redis, or another of several servers, cannot be reached or does not answer."""

    code = "cluster_failed"
    http_status = 503


class ModelError(CoquiServerError):
    """A model that does not exist, or is not what its publisher says."""


class ModelUnreachable(ModelError):
    """A publisher of models that does not answer, or cannot be reached."""


class LibraryError(CoquiServerError):
    """A native library refused a call."""

    def __init__(self, code: int, meaning: str) -> None:
        super().__init__(code, meaning)
        self.code = code
        self.meaning = meaning

    def __str__(self) -> str:
        return f"{self.meaning.rstrip('.')} (error 0x{self.code:04X})"


class NotAligned(CoquiServerError):
    """The words of a text could not be found in its sound. The message says why."""


class SessionClosed(CoquiServerError):
    """Sound was written to a session after its end."""


class MalformedPacket(CoquiServerError):
    """A datagram that is not RTP or RTCP, or is cut off. It is dropped and counted."""
