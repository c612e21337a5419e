// One call on the page: its legs, and their text in the order of time.

import { address } from "./address.js";
import { clock, make } from "./elements.js";

const COLOURS = 4;
const NEAR = 40; // pixels: this close to its end, the text scrolls with new lines

export class Call {
  constructor({ id }) {
    this.id = id;
    this.legs = new Map(); // by session
    this.colours = new Map(); // by the labels of legs: a leg that comes again keeps its colour
    this.said = new Map(); // lines by session and start: nothing is shown twice
    this.title = make("h2", { dir: "auto" });
    this.state = make("span", { className: "muted" });
    this.about = make("ul", { className: "plain legs" });
    this.talk = make("ol", { className: "plain talk" });
    this.talk.setAttribute("aria-live", "polite");
    const head = make("div", { className: "row" }, [this.title, this.state]);
    this.element = make("article", { className: "card call" }, [head, this.about, this.talk]);
  }

  // Takes an entry of the list; returns the sessions of new legs.
  update(about) {
    this.title.textContent = about.label ?? this.id;
    const added = [];
    const waiting = [];
    for (const { label, host, port, streams } of about.legs) {
      if (streams.length === 0) waiting.push(`${label ?? "A leg"}: nothing yet at ${host}:${port}`);
      for (const stream of streams) {
        if (!stream.session) continue;
        const name = label ?? stream.cname ?? stream.source;
        if (!this.legs.has(stream.session)) {
          this.legs.set(stream.session, this.leg(stream, name));
          added.push(stream.session);
        }
        this.tell(stream.session, name, stream);
      }
    }
    this.state.textContent = waiting.join("; ");
    return added;
  }

  leg({ opened, session }, label) {
    const [name, numbers] = [make("bdi", { className: "who" }), make("span", { className: "muted" })];
    const element = make("li", { className: "row" }, [name, numbers]);
    if (!this.colours.has(label)) this.colours.set(label, this.colours.size % COLOURS);
    element.dataset.leg = this.colours.get(label);
    this.about.append(element);
    const partial = make("li", { hidden: true });
    partial.setAttribute("aria-hidden", "true"); // partials are not read out: they change all the time
    return { session, opened, name, numbers, element, partial, number: element.dataset.leg };
  }

  tell(session, label, stream) {
    const leg = this.legs.get(session);
    leg.name.textContent = leg.label = label;
    const sent = stream.packets + stream.lost;
    const lost = sent ? (100 * stream.lost) / sent : 0;
    leg.numbers.textContent = [
      stream.codec,
      clock(stream.duration),
      `${lost.toLocaleString("en", { maximumFractionDigits: 1 })} % lost`,
      `jitter ${Math.round(stream.jitter_ms)} ms`,
    ]
      .filter(Boolean)
      .join(" · ");
  }

  hear(message) {
    const leg = this.legs.get(message.session);
    switch (message.event) {
      case "partial":
        this.write(leg.partial, leg, message.start, message.text);
        leg.partial.className = "partial";
        break;
      case "final":
        leg.partial.hidden = true;
        this.line(leg, message.start, message.text, "", message.speaker);
        break;
      case "speakers":
        for (const { start, speaker } of message.segments) this.correct(leg, start, speaker);
        break;
      case "dtmf":
        this.line(leg, message.start, `pressed ${message.digit}`, "muted");
        break;
      case "session_end":
        this.over(leg, message);
        break;
    }
  }

  line(leg, start, text, kind = "", speaker) {
    const key = `${leg.session} ${start.toFixed(3)} ${kind}`;
    if (!text || this.said.has(key)) return;
    const element = make("li", { className: kind });
    this.said.set(key, element);
    this.write(element, leg, start, text, speaker);
  }

  // A line turns out to be somebody else's.
  correct(leg, start, speaker) {
    const line = this.said.get(`${leg.session} ${start.toFixed(3)} `);
    if (line) line.querySelector(".who").textContent = who(leg, speaker);
  }

  // Inserts a line by its start time, whichever leg it is of.
  write(element, leg, start, text, speaker) {
    const when = leg.opened + start;
    const { scrollTop, clientHeight, scrollHeight } = this.talk;
    const follow = scrollTop + clientHeight >= scrollHeight - NEAR;
    element.hidden = false;
    if (element.dataset.when !== String(when)) {
      element.dataset.when = when;
      element.dataset.leg = leg.number;
      const later = [...this.talk.children].find((other) => other !== element && Number(other.dataset.when) > when);
      this.talk.insertBefore(element, later ?? null);
    }
    const first = Math.min(...[...this.legs.values()].map(({ opened }) => opened));
    element.replaceChildren(
      make("time", { className: "muted", textContent: clock(when - first) }),
      make("bdi", { className: "who", textContent: who(leg, speaker) }),
      make("span", { className: "words", dir: "auto", textContent: text }),
    );
    if (follow) this.talk.scrollTop = this.talk.scrollHeight;
  }

  over(leg, { session, duration, error, statistics }) {
    if (statistics.packets !== undefined) this.tell(session, leg.label, { duration, ...statistics });
    leg.partial.remove();
    leg.element.classList.add("over");
    if (document.getElementById("calls").dataset.kept) {
      const link = make("a", { href: address(`/sessions/${session}`), textContent: "Session" });
      link.setAttribute("aria-label", `Session of ${leg.label}`);
      leg.element.append(link);
    }
    if (error) leg.element.append(make("span", { className: "wrong", textContent: error }));
  }

  end() {
    this.state.textContent = "Ended";
    this.element.classList.add("ended");
    this.legs.forEach(({ partial }) => partial.remove());
  }
}

// Several people may share a leg.
function who(leg, speaker) {
  return speaker ? `${leg.label} · ${speaker}` : leg.label;
}
