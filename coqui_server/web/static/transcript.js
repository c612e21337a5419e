// The text of one session on the Live page: a paragraph for each turn of a speaker, where they are
// told apart, and what may still change.

import { address } from "./address.js";
import { make } from "./elements.js";
import { request } from "./request.js";

const COLOURS = 4;

export class Transcript {
  // `kept`: the session is stored, and its speakers can be named. `refused` gets the words of a refusal.
  constructor(session, kept, refused) {
    this.session = session;
    this.kept = kept;
    this.refused = refused;
    this.said = []; // by the numbers of the finals
    this.people = new Map(); // by what the server calls them: their names, and their fields
    this.fields = make("div", { className: "row", hidden: true });
    // Only finals are read out: partials change all the time.
    this.turns = make("div", { className: "turns" });
    this.turns.setAttribute("aria-live", "polite");
    this.open = make("span", { className: "partial" });
    this.open.setAttribute("aria-hidden", "true");
    this.element = make("div", { className: "speech", dir: "auto" }, [this.fields, this.turns, this.open]);
  }

  get text() {
    const lines = [...this.turns.children, this.open].map(({ textContent }) => textContent.trim());
    return lines.filter(Boolean).join(this.people.size ? "\n" : " ");
  }

  partial(text) {
    this.open.textContent = text;
  }

  final(text, speaker) {
    this.open.textContent = "";
    const span = make("span", { textContent: `${text} ` });
    this.said.push(span);
    this.give(span, speaker);
    this.place(span);
  }

  // Some finals are somebody else's. That comes at the end, so nothing is read out after it.
  corrected(segments) {
    for (const { segment, speaker } of segments) this.give(this.said[segment], speaker);
    this.turns.setAttribute("aria-live", "off");
    this.turns.replaceChildren();
    this.said.forEach((span) => this.place(span));
    const there = new Set(this.said.map(({ dataset }) => dataset.speaker));
    this.people.forEach(({ field }, speaker) => field.toggleAttribute("hidden", !there.has(speaker)));
  }

  // The text when the connection broke stays on the page, as grey as it was.
  cut() {
    if (this.open.textContent) this.open.className = "cut";
  }

  give(span, speaker) {
    if (!speaker) {
      delete span.dataset.speaker;
      return;
    }
    span.dataset.speaker = speaker;
    if (!this.people.has(speaker)) this.meet(speaker);
  }

  place(span) {
    const { speaker } = span.dataset;
    const last = this.turns.lastElementChild;
    if (last && last.dataset.speaker === speaker) {
      last.append(span);
      return;
    }
    const turn = make("p", { dir: "auto" });
    if (speaker) {
      const { name, colour } = this.people.get(speaker);
      Object.assign(turn.dataset, { speaker, leg: colour });
      turn.append(make("bdi", { className: "who", textContent: name }), ": ");
    }
    turn.append(span);
    this.turns.append(turn);
  }

  meet(speaker) {
    const input = make("input", { placeholder: "Name", maxLength: 100, dir: "auto" });
    input.addEventListener("change", () => this.name(speaker, input.value.trim()));
    const field = make("label", {}, [make("bdi", { className: "who", textContent: speaker }), input]);
    field.dataset.leg = this.people.size % COLOURS;
    this.people.set(speaker, { name: speaker, colour: field.dataset.leg, field });
    this.fields.append(field);
    this.fields.hidden = !this.kept;
  }

  async name(speaker, name) {
    const path = `/api/sessions/${this.session}/speakers/${encodeURIComponent(speaker)}`;
    try {
      const { names } = await request("PATCH", address(path), { name });
      this.people.get(speaker).name = names[speaker] ?? speaker;
      for (const turn of this.turns.children) {
        if (turn.dataset.speaker === speaker) turn.querySelector(".who").textContent = names[speaker] ?? speaker;
      }
      this.refused("");
    } catch (refusal) {
      this.refused(refusal.message);
    }
  }
}
