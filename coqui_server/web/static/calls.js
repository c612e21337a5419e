// The Calls page: the events of calls from /ws/events, as one conversation for each call.

import { address, socketAddress } from "./address.js";
import { Call } from "./call.js";
import { request } from "./request.js";
import { SIGNED_OUT, SIGNED_OUT_WORDS } from "./signed-out.js";

const WAITS = [500, 1000, 2000, 4000, 8000]; // milliseconds between attempts; the last one stays
const ROUND = 1000; // milliseconds between two requests for the list of calls
const ENDED = 20; // calls that stay on the page after their end

const at = (id) => document.getElementById(id);
const kept = Boolean(at("calls").dataset.kept);
const calls = new Map(); // by id
const past = []; // calls that have ended
const early = new Map(); // by session: events that came before the list had its call

let socket;
let attempts = 0;
let last = ""; // the id of the last event: a new connection goes on from there

connect();
setInterval(look, ROUND);

function connect() {
  socket = new WebSocket(socketAddress(`/ws/events?kind=rtp${last && `&from=${last}`}`));
  socket.onopen = () => {
    attempts = 0;
    at("notice").textContent = "";
    look();
  };
  socket.onmessage = ({ data }) => hear(JSON.parse(data));
  socket.onclose = ({ code }) => {
    if (code === SIGNED_OUT) {
      at("notice").textContent = SIGNED_OUT_WORDS;
      return;
    }
    at("notice").textContent = "The server cannot be reached; trying again…";
    setTimeout(connect, WAITS[Math.min(attempts++, WAITS.length - 1)]);
  };
}

function look() {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ command: "list_calls" }));
}

function hear(message) {
  if (message.event === "calls") {
    list(message.calls);
    return;
  }
  if (message.event === "missed") {
    for (const call of calls.values()) for (const session of call.legs.keys()) recall(call, session);
    return;
  }
  last = message.id ?? last;
  const call = [...calls.values(), ...past].find(({ legs }) => legs.has(message.session));
  if (call) {
    call.hear(message);
  } else if (message.event === "session_start") {
    early.set(message.session, []);
    look();
  } else if (message.event === "session_end") {
    early.delete(message.session);
  } else {
    early.get(message.session)?.push(message);
  }
}

function list(now) {
  for (const about of now) {
    if (!calls.has(about.id)) {
      calls.set(about.id, new Call(about));
      at("calls").prepend(calls.get(about.id).element);
    }
    const call = calls.get(about.id);
    for (const session of call.update(about)) recall(call, session);
  }
  const there = new Set(now.map((about) => about.id));
  for (const [id, call] of calls) {
    if (!there.has(id)) over(id, call);
  }
  at("hint").hidden = calls.size + past.length > 0;
}

// A new leg on the page: its events so far, and its text before that.
async function recall(call, session) {
  early.get(session)?.forEach((message) => call.hear(message));
  early.delete(session);
  if (!kept) return;
  try {
    const { segments, names } = await request("GET", address(`/api/sessions/${session}`));
    for (const segment of segments) {
      call.hear({ event: "final", session, ...segment, speaker: names[segment.speaker] ?? segment.speaker });
    }
  } catch (refusal) {
    at("notice").textContent = refusal.message;
  }
}

function over(id, call) {
  calls.delete(id);
  call.end();
  past.push(call);
  for (const old of past.filter(({ legs }) => legs.size === 0).concat(past.slice(0, -ENDED))) {
    old.element.remove();
    past.splice(past.indexOf(old), 1);
  }
}
