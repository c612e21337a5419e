// The Live page: the button, the microphone's choice, the text as it comes.

import { address } from "./address.js";
import { enableControls } from "./elements.js";
import { Microphone, microphones } from "./microphone.js";
import { Speech } from "./speech.js";
import { Transcript } from "./transcript.js";
import { wishes } from "./wishes.js";

const at = (id) => document.getElementById(id);
const toggle = at("toggle");

let microphone;
let speech;
let began; // when the recording did, by the browser's clock
const transcripts = []; // of the sessions of this page; the last one is open

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
    speech = new Speech({ started, partial, final, corrected, broken, ended }, wishes());
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
  transcripts.at(-1)?.cut();
  transcripts.push(new Transcript(session, Boolean(at("transcript").dataset.kept), notice));
  at("transcript").append(transcripts.at(-1).element);
}

function partial(text) {
  transcripts.at(-1).partial(text);
}

function final(text, speaker) {
  transcripts.at(-1).final(text, speaker);
  at("results").hidden = false;
}

function corrected(segments) {
  transcripts.at(-1).corrected(segments);
}

function broken(words) {
  notice(words);
  show("Not connected", "Stop");
}

function ended(words) {
  microphone?.close();
  microphone = undefined;
  transcripts.at(-1)?.cut();
  keep();
  notice(words ?? "");
  show("", "Start");
  toggle.disabled = false;
  at("level").value = at("level").min;
}

// The links of each session of this page: its page and its exports.
function keep() {
  const template = at("kept");
  if (!template) return;
  for (const { session, element, text } of transcripts) {
    if (!text || element.classList.contains("offered")) continue;
    element.classList.add("offered");
    const links = template.content.cloneNode(true);
    const path = `/sessions/${session}`;
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
  const text = transcripts.map((transcript) => transcript.text).join("\n\n");
  try {
    await navigator.clipboard.writeText(text);
    at("state").textContent = "Copied";
  } catch {
    notice("The browser does not let this page copy. Select the text and copy it yourself.");
  }
}
