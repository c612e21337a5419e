// Runs beside the page, in the browser's audio thread: the microphone's sound as 16 kHz 16-bit
// samples, a tenth of a second at a time, each with its level in decibels below full scale.

import { Resampler } from "./resampler.js";

const RATE = 16000;
const PIECE = RATE / 10;

class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = sampleRate === RATE ? null : new Resampler(sampleRate, RATE);
    this.piece = new Int16Array(PIECE);
    this.filled = 0;
    this.power = 0;
  }

  process([channels]) {
    if (channels.length > 0) {
      const samples = this.resampler ? this.resampler.push(channels[0]) : channels[0];
      for (const sample of samples) this.take(sample);
    }
    return true;
  }

  take(sample) {
    const within = Math.max(-1, Math.min(1, sample));
    this.power += within * within;
    this.piece[this.filled++] = Math.round(within * 32767);
    if (this.filled === PIECE) {
      const level = 10 * Math.log10(this.power / PIECE + 1e-10);
      this.port.postMessage({ pcm: this.piece.buffer, level }, [this.piece.buffer]);
      this.piece = new Int16Array(PIECE);
      this.filled = 0;
      this.power = 0;
    }
  }
}

registerProcessor("recorder", Recorder);
