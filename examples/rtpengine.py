"""Have a call that passes through rtpengine transcribed: python examples/rtpengine.py CALL-ID

Subscribes to the call over rtpengine's ng protocol, has the daemon reserve a port for each party,
and tells rtpengine to send each party's sound there. Needs `websockets`; 10.0 or later of
rtpengine: https://rtpengine.readthedocs.io/en/latest/ng_control_protocol.html
"""

import argparse
import json
import re
import secrets
import socket
from typing import Any

from websockets.sync.client import connect


def main() -> None:
    wanted = _arguments()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ng, connect(wanted.events) as daemon:
        host, _, port = wanted.ng.rpartition(":")
        ng.connect((host, int(port)))
        ng.settimeout(5)
        offer = ask(ng, "subscribe request", wanted.call, flags=["all"])
        parties = re.findall(r"^m=audio .*$", offer["sdp"], re.MULTILINE)
        labels = offer.get("from-tags", [])[: len(parties)]
        legs = labels if len(labels) == len(parties) else len(parties)
        call = reserve(daemon, id=wanted.call, legs=legs)
        answer = reply_to(offer["sdp"], [(leg["host"], leg["port"]) for leg in call["legs"]])
        ask(ng, "subscribe answer", wanted.call, **{"to-tag": offer["to-tag"], "sdp": answer})
        print(json.dumps(call, indent=2))


def ask(ng: socket.socket, command: str, call: str, **values: Any) -> dict[str, Any]:
    """One ng command and its answer: a cookie, a space, and a dictionary each way."""
    cookie = secrets.token_hex(8)
    message = {"command": command, "call-id": call, **values}
    ng.send(f"{cookie} {json.dumps(message)}".encode())
    while not (reply := ng.recv(65536).decode()).startswith(cookie):
        pass
    answer: dict[str, Any] = json.loads(reply.partition(" ")[2])
    if answer["result"] != "ok":
        raise SystemExit(f"rtpengine: {answer.get('error-reason', answer)}")
    return answer


def reserve(daemon: Any, **values: Any) -> dict[str, Any]:
    """A call with a port for each leg, from the daemon."""
    daemon.send(json.dumps({"command": "reserve_call", "request": 1, **values}))
    for text in daemon:
        reply: dict[str, Any] = json.loads(text)
        if reply.get("request") == 1:
            if reply["event"] == "error":
                raise SystemExit(f"coqui_server: {reply['message']}")
            call: dict[str, Any] = reply["call"]
            return call
    raise SystemExit("coqui_server: closed the connection")


def reply_to(offer: str, places: list[tuple[str, int]]) -> str:
    """The answer to rtpengine's offer: the same media, each to be sent to its place."""
    session, *media = re.split(r"^(?=m=)", offer, flags=re.MULTILINE)
    return session + "".join(map(_answered, media, places))


def _answered(offered: str, place: tuple[str, int]) -> str:
    host, port = place
    first, *rest = offered.splitlines()
    kept = [line for line in rest if line.startswith(("a=rtpmap:", "a=fmtp:", "a=ptime:"))]
    sent = re.sub(r"^m=audio \d+", f"m=audio {port}", first)
    return "".join(f"{line}\r\n" for line in (sent, f"c=IN IP4 {host}", *kept, "a=recvonly"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("call", metavar="CALL-ID", help="the SIP call's Call-ID")
    parser.add_argument("--ng", default="127.0.0.1:2223", help="rtpengine's listen-ng")
    parser.add_argument("--events", default="ws://127.0.0.1:5004/ws/events", help="the daemon's")
    return parser.parse_args()


if __name__ == "__main__":
    main()
