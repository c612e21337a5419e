// The page of a session: the text follows the sound, a click seeks, a segment can be edited, a speaker named.

import { address } from "./address.js";
import { enableControls } from "./elements.js";
import { Levels } from "./levels.js";
import { request } from "./request.js";

const at = (id) => document.getElementById(id);
const session = at("session").dataset.address;
const audio = at("audio");
const segments = [...document.querySelectorAll(".segment")];

document.querySelector(".segments").addEventListener("click", ({ target }) => {
  const segment = target.closest(".segment");
  if (!segment) return;
  if (target.closest(".edit")) edit(segment);
  else if (target.closest(".time, .said") && !getSelection().toString()) {
    play(Number((target.closest("[data-start]") ?? segment).dataset.start));
  }
});
document.querySelectorAll("input[data-speaker]").forEach((input) => input.addEventListener("change", () => name(input)));
at("delete")?.addEventListener("click", remove);
if (audio) {
  audio.addEventListener("timeupdate", follow);
  audio.addEventListener("play", follow);
  audio.addEventListener("error", () => notice("The recording cannot be played."));
  new Levels(at("levels"), audio, `${session}/peaks`).draw();
}

enableControls();

function play(second) {
  if (!audio) return;
  audio.currentTime = second;
  // A pause before the start of playing rejects the promise; that is not an error.
  audio.play().catch(() => {});
}

// Following. The word is looked up in each frame, since browsers report the time only four times a second.

let following = 0;

function follow() {
  cancelAnimationFrame(following);
  const segment = segments.find((each) => covers(each, audio.currentTime));
  mark("current", segment);
  mark("word", segment && [...segment.querySelectorAll(".said [data-start]")].find((word) => covers(word, audio.currentTime)));
  if (!audio.paused) following = requestAnimationFrame(follow);
}

function covers({ dataset }, second) {
  return Number(dataset.start) <= second && second < Number(dataset.end);
}

function mark(name, element) {
  const before = document.querySelector(`.segments .${name}`);
  if (before === (element ?? null)) return;
  before?.classList.remove(name);
  element?.classList.add(name);
  if (name === "current" && !audio.paused) element?.scrollIntoView({ block: "nearest" });
}

// Editing

function edit(segment) {
  const said = segment.querySelector(".said");
  const button = segment.querySelector(".edit");
  const text = document.createElement("textarea");
  text.dir = "auto";
  text.value = said.textContent;
  text.setAttribute("aria-label", "The text");
  const save = made("Save", "primary", async () => {
    try {
      show(segment, await request("PATCH", `${session}/segments/${segment.dataset.id}`, { text: text.value.trim() }));
      close();
    } catch (refusal) {
      notice(refusal.message);
    }
  });
  const cancel = made("Cancel", "", close);
  const form = document.createElement("div");
  form.className = "editing row";
  form.append(text, save, cancel);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save.click();
  });
  said.hidden = button.hidden = true;
  said.after(form);
  text.style.blockSize = `${text.scrollHeight + 8}px`;
  text.focus();

  function close() {
    form.remove();
    said.hidden = button.hidden = false;
    button.focus();
  }
}

function show(segment, { text, original }) {
  segment.querySelector(".said").textContent = text;
  segment.querySelector(".original").hidden = original === null;
  segment.querySelector(".original bdi").textContent = original ?? "";
  notice("");
}

function made(label, look, pressed) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = look;
  button.textContent = label;
  button.addEventListener("click", pressed);
  return button;
}

async function name({ dataset: { speaker }, value }) {
  try {
    const { names } = await request("PATCH", `${session}/speakers/${encodeURIComponent(speaker)}`, { name: value.trim() });
    for (const segment of segments.filter(({ dataset }) => dataset.speaker === speaker)) {
      segment.querySelector(".who bdi").textContent = names[speaker] ?? speaker;
    }
    notice("");
  } catch (refusal) {
    notice(refusal.message);
  }
}

async function remove() {
  if (!confirm("Delete this session and its recording? This cannot be undone.")) return;
  try {
    await request("DELETE", session);
    location.assign(address("/sessions"));
  } catch (refusal) {
    notice(refusal.message);
  }
}

function notice(words) {
  at("notice").textContent = words;
}
