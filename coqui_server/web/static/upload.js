// One upload with its progress bar. XMLHttpRequest reports the progress; fetch does not.

import { address } from "./address.js";
import { csrf } from "./csrf.js";
import { button, make, size } from "./elements.js";

export class Upload {
  // `options`: the fields of its form, by name.
  constructor(file, options, limit) {
    this.file = file;
    this.options = options;
    this.request = new XMLHttpRequest();
    this.bar = make("progress", { max: 1, value: 0 });
    this.bar.setAttribute("aria-label", `Upload of ${file.name}`);
    this.words = make("span", { className: "muted", textContent: size(file.size) });
    this.stop = button("Stop", `Stop the upload of ${file.name}`, () => this.stopped());
    this.element = make("li", { className: "row" }, [
      make("bdi", { className: "name", dir: "auto", textContent: file.name }),
      ...[this.bar, this.words, this.stop],
    ]);
    if (file.size > limit) this.refused(`This file has ${size(file.size)}; the most is ${size(limit)}.`);
    else if (file.size === 0) this.refused("This file is empty.");
  }

  // Resolves when it is over, also if it was stopped or refused.
  send() {
    if (this.over) return undefined;
    return new Promise((resolve) => {
      this.request.upload.onprogress = ({ loaded, total }) => {
        this.bar.value = loaded / total;
      };
      this.request.onloadend = () => resolve(this.ended());
      this.request.open("POST", address("/api/files"));
      this.request.responseType = "json";
      Object.entries(csrf).forEach(([name, value]) => this.request.setRequestHeader(name, value));
      const form = new FormData();
      // Before the file: form fields apply to the files after them.
      Object.entries(this.options).forEach(([name, value]) => form.append(name, value));
      form.append("files", this.file);
      this.request.send(form);
    });
  }

  ended() {
    if (this.request.status === 201) this.element.remove();
    else if (!this.over) this.refused(this.request.response?.message ?? "The server cannot be reached.");
  }

  stopped() {
    this.over = true;
    this.request.abort();
    this.element.remove();
  }

  refused(words) {
    this.over = true;
    this.bar.remove();
    this.words.className = "wrong";
    this.words.setAttribute("role", "alert");
    this.words.textContent = words;
    this.stop.textContent = "Dismiss";
    this.stop.setAttribute("aria-label", `Dismiss ${this.file.name}`);
  }
}
