// A row of the queue.

import { address } from "./address.js";
import { button, clock, make, size } from "./elements.js";

const WORDS = {
  pending: "Waiting",
  processing: "Working",
  completed: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};

export class Row {
  // `act` is called with the job and "cancel", "retry" or "delete".
  constructor(job, formats, act) {
    this.formats = formats;
    this.act = act;
    this.state = make("td", { className: "state" });
    this.results = make("td", { className: "results" });
    this.actions = make("td", { className: "actions" });
    this.element = make("tr", {}, [this.head(job), this.state, this.results, this.actions]);
    this.element.dataset.job = job.id;
    this.show(job);
  }

  head(job) {
    const about = [size(job.size), job.engine, job.language].filter(Boolean).join(" · ");
    return make("th", { scope: "row" }, [
      make("bdi", { className: "name", dir: "auto", textContent: job.name }),
      make("span", { className: "muted about", textContent: about }),
    ]);
  }

  // The text of the row for screen readers.
  get words() {
    return `${this.job.name}: ${WORDS[this.job.state]}`;
  }

  // Whether the job is in another state than before.
  show(job) {
    const before = this.job;
    this.job = job;
    this.progress();
    if (before?.state === job.state && before.session === job.session) return false;
    this.element.dataset.state = job.state;
    const focused = this.actions.contains(document.activeElement);
    this.actions.replaceChildren(...this.buttons());
    if (focused) this.actions.querySelector("button").focus();
    this.results.replaceChildren(...this.links());
    return before?.state !== job.state;
  }

  progress() {
    const { state, percent, left, error, warnings } = this.job;
    const shown = [make("span", { className: "word", textContent: WORDS[state] })];
    if (state === "processing") {
      const bar = make("progress", { max: 100, value: percent });
      bar.setAttribute("aria-label", `Progress of ${this.job.name}`);
      const rest = left === null || left < 1 ? "" : `, ${clock(left)} left`;
      shown.push(bar, make("span", { className: "muted nowrap", textContent: `${percent} %${rest}` }));
    }
    for (const { message } of warnings) shown.push(make("span", { className: "muted warning", textContent: message }));
    if (error) shown.push(make("span", { className: "wrong", dir: "auto", textContent: error }));
    this.state.replaceChildren(...shown);
  }

  buttons() {
    const { state, name } = this.job;
    const offered = { pending: ["cancel"], processing: ["cancel"], completed: ["delete"] }[state] ?? ["retry", "delete"];
    return offered.map((what) => {
      const label = what[0].toUpperCase() + what.slice(1);
      return button(label, `${label} ${name}`, async () => {
        if (this.acting) return; // a disabled button would lose the focus
        this.acting = true;
        await this.act(this.job, what);
        this.acting = false;
      });
    });
  }

  links() {
    const { session, state, name } = this.job;
    if (!session || state !== "completed") return [];
    const open = make("a", { href: address(`/sessions/${session}`), textContent: "Read" });
    open.setAttribute("aria-label", `Read ${name}`);
    const exports = this.formats.map((format) => {
      const href = address(`/api/sessions/${session}/export?format=${format}`);
      const link = make("a", { href, download: "", textContent: format.toUpperCase() });
      link.setAttribute("aria-label", `${name} as ${format.toUpperCase()}`);
      return link;
    });
    return [open, make("span", { className: "formats" }, exports)];
  }
}
