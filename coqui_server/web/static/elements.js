// Elements that several pages make. Text is always text: nothing here parses markup.

export function make(name, properties = {}, children = []) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

// `label` is the accessible name of the button.
export function button(words, label, pressed) {
  const made = make("button", { type: "button", textContent: words });
  made.setAttribute("aria-label", label);
  made.addEventListener("click", pressed);
  return made;
}

// Buttons and fields in the HTML of a page do nothing before its script runs, so they are disabled until
// then: a click must not be lost.
export function enableControls() {
  document.querySelectorAll("[data-script]").forEach((control) => {
    control.disabled = false;
  });
}

export function size(bytes) {
  const [number, unit] = [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]].find(([one]) => bytes >= one) ?? [1, "bytes"];
  return `${(bytes / number).toLocaleString("en", { maximumFractionDigits: 1 })} ${unit}`;
}

// 65 is 1:05, 3600 is 1:00:00.
export function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const parts = [...(hours ? [hours, String(minutes).padStart(2, "0")] : [minutes]), String(whole % 60).padStart(2, "0")];
  return parts.join(":");
}
