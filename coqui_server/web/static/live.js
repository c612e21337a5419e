// The Live page: the button, the microphone's choice, the text as it comes.

import { address } from "./address.js";
import { enableControls } from "./elements.js";
import { Microphone, microphones } from "./microphone.js";
import { Speech } from "./speech.js";

const at = (id) => document.getElementById(id);
const toggle = at("toggle");

let microphone;
let speech;
let began; // when the recording did, by the browser's clock
let finals; // the element with the finals of this session
let open; // the element with the partial, which may still change

toggle.addEventListener("click", () => (microphone ? stop() : start()));
at("copy").addEventListener("click", copy);
enableControls();
navigator.mediaDevices?.addEventListener("devicechange", offer);
offer();

async function start() {
  toggle.disabled = true;
  notice("");
  const opened = new Microphone(heard, (words) => {
    notice(words);
    stop();
  });
  try {
    await opened.open(at("microphone").value);
    microphone = opened;
    began = performance.now();
    speech = new Speech({ started, partial, final, broken, ended }, at("engine")?.value);
    show("Connecting…", "Stop");
    offer();
  } catch (refusal) {
    opened.close();
    notice(refusal.message);
  }
  toggle.disabled = false;
}

function stop() {
  microphone?.close();
  microphone = undefined;
  at("level").value = at("level").min;
  toggle.disabled = true;
  show("Transcribing the rest…", "Start");
  speech.stop();
}

function heard(pcm, level) {
  speech?.send(pcm);
  at("level").value = level;
  const seconds = Math.floor((performance.now() - began) / 1000);
  at("elapsed").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

// Events of the recording

function started(session) {
  notice("");
  show("Listening", "Stop");
  at("hint").hidden = true;
  cut();
  const paragraph = document.createElement("p");
  paragraph.dir = "auto";
  // Only finals are read out: partials change all the time.
  finals = paragraph.appendChild(document.createElement("span"));
  finals.setAttribute("aria-live", "polite");
  open = paragraph.appendChild(document.createElement("span"));
  open.className = "partial";
  open.setAttribute("aria-hidden", "true");
  paragraph.dataset.session = session;
  at("transcript").append(paragraph);
}

function partial(text) {
  open.textContent = text;
}

function final(text) {
  open.textContent = "";
  const said = document.createElement("span");
  said.textContent = `${text} `;
  finals.append(said);
  at("results").hidden = false;
}

function broken(words) {
  notice(words);
  show("Not connected", "Stop");
}

function ended(words) {
  microphone?.close();
  microphone = undefined;
  cut();
  keep();
  notice(words ?? "");
  show("", "Start");
  toggle.disabled = false;
  at("level").value = at("level").min;
}

// The text when the connection broke stays on the page, as grey as it was.
function cut() {
  if (open?.textContent) open.className = "cut";
  open = undefined;
}

// The links of each session of this page: its page and its exports.
function keep() {
  const template = at("kept");
  if (!template) return;
  for (const paragraph of document.querySelectorAll("p[data-session]:not(.offered)")) {
    paragraph.classList.add("offered");
    if (!paragraph.textContent) continue;
    const links = template.content.cloneNode(true);
    const path = `/sessions/${paragraph.dataset.session}`;
    links.querySelector(".session").href = address(path);
    for (const link of links.querySelectorAll("[data-format]")) {
      link.href = address(`/api${path}/export?format=${link.dataset.format}`);
    }
    at("results").append(links);
  }
}

// The display

function show(state, label) {
  at("state").textContent = state;
  toggle.textContent = label;
  toggle.setAttribute("aria-pressed", String(label === "Stop"));
}

function notice(words) {
  at("notice").textContent = words;
}

async function offer() {
  const choice = at("microphone");
  const chosen = choice.value;
  const found = await microphones();
  choice.replaceChildren(
    new Option("The default one", ""),
    ...found.map((device) => new Option(device.label, device.deviceId)),
  );
  choice.value = found.some((device) => device.deviceId === chosen) ? chosen : "";
}

async function copy() {
  const paragraphs = [...at("transcript").querySelectorAll("p[data-session]")];
  const text = paragraphs.map((paragraph) => paragraph.textContent.trim()).join("\n\n");
  try {
    await navigator.clipboard.writeText(text);
    at("state").textContent = "Copied";
  } catch {
    notice("The browser does not let this page copy. Select the text and copy it yourself.");
  }
}
