// The waveform of a recording: the played part is filled, and a click seeks.

import { request } from "./request.js";

const BAR = 3; // pixels of a bar, with the gap after it
const GAP = 1;

export class Levels {
  constructor(canvas, audio, address) {
    this.canvas = canvas;
    this.audio = audio;
    this.address = address;
    this.peaks = [];
    audio.addEventListener("timeupdate", () => this.paint());
    canvas.addEventListener("click", (event) => this.jump(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  // Requests as many levels as there is room for.
  async draw() {
    const count = Math.max(1, Math.floor(this.canvas.clientWidth / BAR));
    if (count !== this.asked) {
      this.asked = count;
      try {
        this.peaks = (await request("GET", `${this.address}?count=${count}`)).peaks;
      } catch {
        this.canvas.hidden = true; // The recording can be played without its waveform.
      }
    }
    this.paint();
  }

  paint() {
    const { canvas, peaks } = this;
    const scale = devicePixelRatio;
    canvas.width = canvas.clientWidth * scale;
    canvas.height = canvas.clientHeight * scale;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const look = getComputedStyle(canvas);
    const played = (this.audio.currentTime / this.audio.duration || 0) * peaks.length;
    peaks.forEach((peak, place) => {
      const height = Math.max(2, (peak / 100) * canvas.clientHeight);
      pen.fillStyle = look.getPropertyValue(place < played ? "--accent" : "--muted");
      pen.globalAlpha = place < played ? 1 : 0.5;
      pen.fillRect(place * BAR, (canvas.clientHeight - height) / 2, BAR - GAP, height);
    });
  }

  jump(event) {
    const share = event.offsetX / (this.peaks.length * BAR);
    if (this.audio.duration) this.audio.currentTime = Math.min(1, share) * this.audio.duration;
  }
}
