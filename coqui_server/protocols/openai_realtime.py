"""`/v1/realtime`: OpenAI's Realtime protocol, for sessions that transcribe.

Its events are those of `openai.types.realtime`; a client that asks for the beta, or updates with
`transcription_session.update`, has those of `openai.types.beta.realtime`. Where the documentation
and the clients disagree, the clients decide.

    session.update, transcription_session.update    as `openai_update` has it
    input_audio_buffer.append {"audio": base64}, .commit, .clear

All else that clients may send is for conversations, and is refused. The server's events are
`session.created` and `.updated` and those of `openai_items`. An event that is refused, and an
utterance that the engine failed on, leave the connection open.

Sound goes into one session of ours for as long as the configuration stays; the first sound opens
it. What was not committed when the connection ends is finished and kept all the same.
"""

import secrets

from websockets.asyncio.server import ServerConnection

from coqui_server.exceptions import (
    BadRequest,
    Busy,
    EngineError,
    GoingAway,
    NothingToCommit,
    RequestError,
)
from coqui_server.exports.openai import Json
from coqui_server.principal import Principal
from coqui_server.protocols import openai_errors, openai_handshake
from coqui_server.protocols.intake import Intake, finishing
from coqui_server.protocols.live_connection import LiveConnection, decoded, parsed
from coqui_server.protocols.openai_configuration import Configuration
from coqui_server.protocols.openai_items import Items
from coqui_server.protocols.openai_update import updated
from coqui_server.transcription.events import Event
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.service import Service
from coqui_server.transcription.session import Session

_LARGEST = 21 * 2**20
"""Bytes of a message: 15 MB of sound, OpenAI's limit, in base64."""

_LONGEST_ID = 512
"""Characters of a client's event id, which an error repeats."""


async def serve(connection: ServerConnection, principal: Principal, service: Service) -> None:
    """Serve one client, whose address has been checked."""
    assert connection.request is not None
    model = openai_handshake.model(connection.request.path.partition("?")[2])
    older = openai_handshake.older(connection.request.headers)
    id = f"sess_{connection.id.hex}"
    async with LiveConnection(connection, service) as client:
        conversation = _Conversation(client, principal, service, id, model, older=older)
        try:
            await conversation.run()
        except RequestError as refusal:
            await conversation.end(refusal)
            await client.close(refusal.close_code, str(refusal))


class _Conversation:
    """One client: its commands, and one session of ours after another.

    Args:
        model: that its address names.
        older: it wants the events of the beta.
    """

    def __init__(
        self,
        client: LiveConnection,
        principal: Principal,
        service: Service,
        id: str,
        model: str | None,
        *,
        older: bool,
    ) -> None:
        self._client = client
        self._principal = principal
        self._service = service
        self._id = id
        self._configuration = Configuration(transcription={"model": model} if model else {})
        self._items = Items(older=older)
        self._hearing: tuple[Session, Intake] | None = None
        # Seconds of the sound of sessions that are over.
        self._heard = 0.0

    async def run(self) -> None:
        """Obey, and listen when sound comes, until the client leaves."""
        await self._describe(
            "transcription_session.created" if self._items.older else "session.created"
        )
        while True:
            if sound := await self._sound():
                await self._hear(sound)

    async def end(self, refusal: RequestError) -> None:
        """Tell the text of an open turn, and why the connection is closed.

        Clients connect again after a close. After an error some give up, so that there is none
        where another attempt may succeed.
        """
        self._items.settle(self._now)
        await self._flush()
        if not isinstance(refusal, Busy | GoingAway):
            await self._refuse(refusal, None)

    async def _hear(self, sound: bytes) -> None:
        """Listen in one session, as long as the configuration stays. If the engine fails, its items
        have failed, and the next sound opens another session."""
        opened = False
        try:
            async with self._service.session(self._request()) as session:
                opened = True
                try:
                    await self._listen(session, sound)
                finally:
                    self._heard += session.duration
                    self._hearing = None
        except EngineError as fault:
            if not opened:
                raise
            self._items.fail(fault, self._now)
            await self._flush()

    def _request(self) -> SessionRequest:
        wanted = self._configuration
        pace = self._service.settings.partials.pace
        return SessionRequest(
            "live",
            engine=wanted.engine(self._service.engines),
            options=wanted.options,
            speakers=wanted.speakers,
            silence=wanted.silence,
            interim=pace if wanted.agreeing else None,
            owner=self._principal.user,
            sinks=(self._take,),
        )

    async def _listen(self, session: Session, first: bytes) -> None:
        wanted = self._configuration
        intake = Intake(wanted.encoding, wanted.sample_rate)
        self._hearing = session, intake
        self._items.begin(wanted, self._heard)
        sound: bytes | None = first
        async with finishing(session, intake):
            while sound is not None:
                await intake.write(session, sound)
                self._items.look(session.utterances)
                await self._flush()
                sound = await self._sound()
        # A turn that the client ends may go on in the next session.
        if wanted.turn_detection is not None:
            self._items.settle(self._now)
            await self._flush()

    async def _sound(self) -> bytes | None:
        """The next sound; None when the configuration has changed."""
        before = self._configuration
        while self._configuration == before:
            message = await self._client.receive(_LARGEST)
            command: Json = {}
            try:
                if isinstance(message, bytes):
                    raise BadRequest("sound comes as base64 in input_audio_buffer.append")
                command = parsed(message)
                if command.get("type") == "input_audio_buffer.append":
                    return decoded(command.get("audio"))
                await self._obey(command)
            except BadRequest as wrong:
                await self._refuse(wrong, command.get("event_id"))
        return None

    async def _obey(self, command: Json) -> None:
        match command.get("type"):
            case "input_audio_buffer.commit":
                await self._commit()
            case "input_audio_buffer.clear":
                await self._clear()
            case "session.update":
                await self._update(command.get("session"))
                await self._describe("session.updated")
            case "transcription_session.update":
                self._items.older = True
                await self._update(command.get("session"))
                await self._describe("transcription_session.updated")
            case _:
                raise BadRequest(
                    "type is session.update, transcription_session.update, or "
                    "input_audio_buffer.append, .commit or .clear: this server transcribes, and "
                    "gives no responses"
                )

    async def _commit(self) -> None:
        await self._decode_rest()
        if not self._items.uncommitted(self._now):
            raise NothingToCommit("there is no sound since the last commit")
        self._items.commit(self._now)
        await self._settle()

    async def _clear(self) -> None:
        await self._decode_rest()
        self._items.clear(self._now)
        await self._settle()
        await self._send({"type": "input_audio_buffer.cleared"})

    async def _decode_rest(self) -> None:
        if self._hearing:
            session, intake = self._hearing
            await intake.end(session)

    async def _settle(self) -> None:
        await self._flush()
        if self._hearing:
            await self._hearing[0].settle()
        self._items.settle(self._now)
        await self._flush()

    async def _update(self, session: object) -> None:
        configuration = updated(self._configuration, session)
        configuration.engine(self._service.engines)
        self._configuration = configuration

    @property
    def _now(self) -> float:
        """Seconds of sound so far."""
        return self._heard + (self._hearing[0].duration if self._hearing else 0.0)

    async def _take(self, event: Event) -> None:
        self._items.take(event)
        await self._flush()

    async def _describe(self, kind: str) -> None:
        about = self._configuration.described(self._id, older=self._items.older)
        await self._send({"type": kind, "session": about})

    async def _refuse(self, refusal: RequestError, event: object) -> None:
        told = openai_errors.error(refusal)["error"]
        cause = event if isinstance(event, str) and len(event) <= _LONGEST_ID else None
        await self._send({"type": "error", "error": {**told, "event_id": cause}})

    async def _flush(self) -> None:
        events = self._items.events
        while events:
            await self._send(events.popleft())

    async def _send(self, event: Json) -> None:
        await self._client.send({"event_id": f"event_{secrets.token_hex(12)}", **event})
