// Resamples sound to a lower rate with a windowed sinc, which removes what the new rate cannot have.
// Browsers that open the microphone at 16 kHz do not need it.

const ZEROS = 24; // crossings of zero to each side, in samples of the lower rate
const PASS = 0.92; // of half the lower rate; the rest is for the filter's slope

export class Resampler {
  // Rates are hertz. The filter is tabulated for each phase that the ratio has, 160 for 44.1 kHz.
  constructor(from, to) {
    const common = greatestCommonDivisor(from, to);
    this.step = from / common;
    this.phases = to / common;
    this.reach = Math.ceil((ZEROS * from) / to);
    this.kernels = Array.from({ length: this.phases }, (_, phase) =>
      kernel(phase / this.phases, this.reach, (PASS * to) / from),
    );
    this.held = new Float32Array(2 * this.reach); // silence before the first sample
    this.position = 0; // of the next output, in phases after the first held sample's turn
  }

  // The output of all samples so far; the last `reach` samples wait for more.
  push(samples) {
    const sound = new Float32Array(this.held.length + samples.length);
    sound.set(this.held);
    sound.set(samples, this.held.length);
    const out = [];
    for (;;) {
      const first = Math.floor(this.position / this.phases);
      if (first + 2 * this.reach > sound.length) {
        this.held = sound.slice(first);
        this.position -= first * this.phases;
        return Float32Array.from(out);
      }
      const weights = this.kernels[this.position % this.phases];
      let sum = 0;
      for (let at = 0; at < weights.length; at++) sum += weights[at] * sound[first + at];
      out.push(sum);
      this.position += this.step;
    }
  }
}

// Weights of the 2 * reach samples around a point `shift` of a sample after the middle one.
function kernel(shift, reach, cutoff) {
  const weights = Float64Array.from({ length: 2 * reach }, (_, at) => {
    const distance = at - (reach - 1) - shift;
    return sinc(distance * cutoff) * hann(distance / reach);
  });
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const hann = (x) => (Math.abs(x) >= 1 ? 0 : 0.5 + 0.5 * Math.cos(Math.PI * x));

function greatestCommonDivisor(a, b) {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
