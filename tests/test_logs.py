"""The log: lines for people, JSON for programs, and nothing spoken in either."""

import json
import logging
from typing import Any

import pytest
from websockets.sync.client import connect

from coqui_server.logs import JsonLines
from tests.support.clips import clip, spoken
from tools.daemon import running

VOICE = clip("appointment.wav")


def line(message: str, *arguments: object, raised: Any = None) -> dict[str, Any]:
    """The fields of a message that is logged."""
    record = logging.LogRecord("coqui", logging.INFO, "file.py", 1, message, arguments, raised)
    text = JsonLines().format(record)
    assert "\n" not in text
    fields: dict[str, Any] = json.loads(text)
    return fields


def test_what_a_message_is_about_is_a_field() -> None:
    """As the words before its placeholders say, whatever else is in it."""
    said = line("call %s: session %s: 100 %% of %.2f s", "a b", "s1", 1.5)
    assert said["message"] == "call a b: session s1: 100 % of 1.50 s"
    assert (said["call"], said["session"]) == ("a b", "s1")
    assert line("job %d: %s", 7, "session failed")["job"] == 7
    assert line("%d open, request %s", 2, "r")["request"] == "r"
    assert set(line("no session %%, %.3f s", 1.0)) == {"time", "level", "logger", "message"}


def test_an_exception_stays_on_its_line() -> None:
    """Its traceback is one field."""
    try:
        raise ValueError("one\ntwo")
    except ValueError as error:
        raised = (type(error), error, error.__traceback__)
    said = line("session %s failed", "s", raised=raised)
    assert said["exception"].endswith("ValueError: one\ntwo")


@pytest.mark.process
@pytest.mark.model
def test_a_daemon_that_logs_json() -> None:
    """Every line of its output is an object; a session's have its id, and none has its words."""
    with running("log.format = json, log.level = DEBUG") as daemon:
        with connect(f"{daemon.url}/api/v1/stt", compression=None) as client:
            client.send(VOICE.path.read_bytes())
            reply = json.loads(client.recv())
        assert daemon.stop() == 0
        lines = [json.loads(line) for line in daemon.log.read_text().splitlines()]
    assert spoken(reply["text"]) == spoken(VOICE.text)
    ready = next(line["message"] for line in lines if "is ready" in line["message"])
    assert daemon.url in ready
    told = [line for line in lines if line.get("session") == reply["session"]]
    assert {line["level"] for line in told} >= {"INFO"}
    assert all(line.keys() >= {"time", "level", "logger", "message"} for line in lines)
    informed = "\n".join(line["message"] for line in lines if line["level"] != "DEBUG")
    assert not {"appointment", "insurance", "card"} & set(spoken(informed).split())
