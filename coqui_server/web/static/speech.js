// One recording over /ws/v1/speech-to-text, through as many connections as it takes.

import { socketAddress } from "./address.js";
import { SIGNED_OUT, SIGNED_OUT_WORDS } from "./signed-out.js";

const WAITS = [500, 1000, 2000, 4000, 8000]; // milliseconds between attempts; the last one stays
const KEPT = 300; // pieces of 0.1 s that are kept while there is no connection
const PATIENCE = 15000; // milliseconds for the last finals after the stop

const BUSY = 1013; // close codes: RFC 6455, section 7.4, and the IANA registry
const GOING_AWAY = 1001;

export class Speech {
  // `page` gets: started(session), partial(text), final(text, speaker), corrected(segments), broken(message),
  // ended(message or nothing). After `broken` the connection is tried again; after `ended` it is not.
  // `wishes` are what each start asks for.
  constructor(page, wishes) {
    this.page = page;
    this.wishes = wishes;
    this.waiting = [];
    this.attempts = 0;
    this.stopping = false;
    this.connect();
  }

  // A connection that is being closed takes nothing more, and `closed` follows.
  get open() {
    return this.ready && this.socket.readyState === WebSocket.OPEN;
  }

  send(pcm) {
    if (this.open) {
      this.socket.send(pcm);
      return;
    }
    this.waiting.push(pcm);
    if (this.waiting.length > KEPT) this.waiting.shift();
  }

  stop() {
    this.stopping = true;
    if (this.open) {
      this.say({ event: "stop" });
      this.timer = setTimeout(() => this.socket.close(), PATIENCE);
    } else if (!this.ready) {
      this.end();
    }
  }

  connect() {
    this.socket = new WebSocket(socketAddress("/ws/v1/speech-to-text"));
    this.refusal = undefined;
    this.socket.onopen = () => this.say({ event: "start", sample_rate: 16000, ...this.wishes });
    this.socket.onmessage = ({ data }) => this.hear(JSON.parse(data));
    this.socket.onclose = ({ code }) => this.closed(code);
  }

  say(message) {
    this.socket.send(JSON.stringify(message));
  }

  hear(message) {
    switch (message.event) {
      case "started":
        this.ready = true;
        this.attempts = 0;
        this.page.started(message.session_id);
        this.waiting.splice(0).forEach((pcm) => this.socket.send(pcm));
        break;
      case "transcript":
        if (message.is_final) this.page.final(message.text, message.speaker);
        else this.page.partial(message.text);
        break;
      case "speakers":
        this.page.corrected(message.segments);
        break;
      case "stopped":
        this.end();
        break;
      case "error":
        // A server that shuts down closes the connection next; then we connect again.
        if (message.code === "going_away") break;
        this.refusal = message.message;
        if (!this.ready) this.end(`The server refuses: ${message.message}.`);
        break;
    }
  }

  closed(code) {
    this.ready = false;
    if (this.over) return;
    if (code === BUSY) this.end(`The server is busy: ${this.refusal ?? "try again later"}.`);
    else if (code === SIGNED_OUT) this.end(SIGNED_OUT_WORDS);
    else if (this.refusal) this.end(`The server ended the session: ${this.refusal}.`);
    else if (this.stopping) this.end("The connection was lost before the last text came.");
    else this.again(code === GOING_AWAY ? "The server is shutting down" : "The server cannot be reached");
  }

  again(words) {
    const wait = WAITS[Math.min(this.attempts++, WAITS.length - 1)];
    this.page.broken(`${words}. What you say is kept for ${KEPT / 10} seconds; trying again…`);
    this.timer = setTimeout(() => this.connect(), wait);
  }

  end(words) {
    if (this.over) return;
    this.over = true;
    this.ready = false;
    clearTimeout(this.timer);
    this.socket.close();
    this.page.ended(words);
  }
}
