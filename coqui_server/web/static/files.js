// The Files page: uploads files one after another, and shows the queue as it changes.

import { address } from "./address.js";
import { enableControls } from "./elements.js";
import { Row } from "./job.js";
import { request } from "./request.js";
import { Upload } from "./upload.js";
import { wishes } from "./wishes.js";

const at = (id) => document.getElementById(id);
const body = at("queue").tBodies[0];
const formats = at("queue").dataset.formats.split(" ");
const PAGE = 100; // files in one request

const rows = new Map(); // by the ids of their jobs
const waiting = []; // uploads; the first one is running

// Uploading

at("choose").addEventListener("click", () => at("chosen").click());
enableControls();
at("chosen").addEventListener("change", () => {
  handIn(at("chosen").files);
  at("chosen").value = ""; // the same file may be chosen again
});

const drop = at("drop");
for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  handIn(event.dataTransfer.files);
});
// Otherwise the browser opens a file that is dropped beside the place.
for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());

function handIn(files) {
  notice("");
  for (const file of files) {
    const upload = new Upload(file, wishes(), Number(drop.dataset.limit) || Infinity);
    at("uploads").append(upload.element);
    waiting.push(upload);
    if (waiting.length === 1) send();
  }
}

async function send() {
  while (waiting.length > 0) {
    await waiting[0].send();
    waiting.shift();
  }
}

// The queue. It is changed by events alone, and by loading it: the answer to a request may come
// after the news of what happened to its job since.

let news; // what came while the queue is loaded, which the answer may not have

const source = new EventSource(address("/api/files/events"));
source.addEventListener("open", () => {
  notice("");
  load(0);
});
source.addEventListener("job", ({ data }) => {
  const job = JSON.parse(data);
  news?.push(job);
  put(job);
});
source.addEventListener("missed", () => load(0));
source.addEventListener("error", () => {
  notice(
    source.readyState === EventSource.CLOSED
      ? "The server sends no more updates. Load this page again."
      : "The server cannot be reached; trying again…",
  );
});
at("more").addEventListener("click", () => load(rows.size));

async function load(offset) {
  const since = (news = []);
  const jobs = await ask("GET", address(`/api/files?offset=${offset}&limit=${PAGE}`));
  if (news === since) news = undefined;
  if (jobs === undefined) return;
  if (offset === 0) rows.forEach((row, id) => remove(id)); // some may have been deleted
  [...jobs, ...since].forEach(put);
  at("more").hidden = jobs.length < PAGE;
}

function put(job) {
  if (job.state === "deleted") {
    remove(job.id);
  } else if (rows.has(job.id)) {
    if (rows.get(job.id).show(job)) at("told").textContent = rows.get(job.id).words;
  } else {
    const row = new Row(job, formats, act);
    rows.set(job.id, row);
    const older = [...body.rows].find((other) => Number(other.dataset.job) < job.id);
    body.insertBefore(row.element, older ?? null);
  }
  frame();
}

function remove(id) {
  const gone = rows.get(id)?.element;
  const next = gone?.nextElementSibling ?? gone?.previousElementSibling;
  if (gone?.contains(document.activeElement)) (next?.querySelector("button") ?? at("choose")).focus();
  gone?.remove();
  rows.delete(id);
  frame();
}

function frame() {
  at("queue").hidden = rows.size === 0;
  at("hint").hidden = rows.size > 0;
}

async function act(job, what) {
  const file = address(`/api/files/${job.id}`);
  await (what === "retry" ? ask("POST", `${file}/retry`) : ask("DELETE", file));
}

// The server's answer; undefined, with a notice on the page, if it refuses.
async function ask(method, url) {
  try {
    return await request(method, url);
  } catch (refusal) {
    notice(refusal.message);
    return undefined;
  }
}

function notice(words) {
  at("notice").textContent = words;
}
