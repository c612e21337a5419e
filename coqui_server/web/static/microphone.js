// The microphone: opened, read and closed, with messages for its errors.

import { address } from "./address.js";

const RATE = 16000;

const WORDS = {
  NotAllowedError:
    "The microphone was refused. Allow it for this page (beside its address), then press Start again.",
  NotFoundError: "No microphone was found. Connect one, then press Start again.",
  OverconstrainedError: "That microphone is no longer there. Choose another one.",
  NotReadableError: "The microphone cannot be read. Another program may be using it.",
};

const INSECURE =
  "Browsers give the microphone only to pages that come by https, or from this machine (localhost).";

export class Microphone {
  // `heard` is called with each tenth of a second: its samples (ArrayBuffer, 16 kHz, 16-bit) and
  // its level (decibels); `lost` with a message, when the microphone is disconnected.
  constructor(heard, lost) {
    this.heard = heard;
    this.lost = lost;
  }

  // Throws an Error whose message is for people.
  async open(device) {
    if (!navigator.mediaDevices) throw new Error(INSECURE);
    // The daemon levels speech itself, and recognises unprocessed sound best.
    const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const chosen = device ? { deviceId: { exact: device } } : {};
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: { ...raw, ...chosen } });
    } catch (refusal) {
      throw new Error(WORDS[refusal.name] ?? `The microphone cannot be used: ${refusal.message}`);
    }
    this.stream.getAudioTracks()[0].addEventListener("ended", () => {
      this.lost("The microphone was disconnected.");
    });
    await this.listen();
  }

  async listen() {
    let source;
    try {
      this.context = new AudioContext({ sampleRate: RATE });
      source = this.context.createMediaStreamSource(this.stream);
    } catch (unable) {
      // Some browsers refuse a microphone in a context of another rate.
      if (unable.name !== "NotSupportedError") throw unable;
      await this.context?.close();
      this.context = new AudioContext();
      source = this.context.createMediaStreamSource(this.stream);
    }
    await this.context.audioWorklet.addModule(address("/static/recorder.js"));
    const recorder = new AudioWorkletNode(this.context, "recorder", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    recorder.port.onmessage = ({ data }) => this.heard(data.pcm, data.level);
    source.connect(recorder);
    await this.context.resume();
  }

  close() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.context?.close();
    this.stream = this.context = undefined;
  }
}

// The microphones. Browsers give their names only to a page that may use them, and some list the
// default one twice.
export async function microphones() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const known = devices.filter((device) => device.kind === "audioinput" && device.label);
  return known.filter((device) => !["default", "communications"].includes(device.deviceId));
}
