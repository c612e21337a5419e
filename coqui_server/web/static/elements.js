// Small things that several pages make. Text is always text: nothing here reads markup.

export function make(name, properties = {}, children = []) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

// `label` says to those who do not see the page what the button is about.
export function button(words, label, pressed) {
  const made = make("button", { type: "button", textContent: words });
  made.setAttribute("aria-label", label);
  made.addEventListener("click", pressed);
  return made;
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
