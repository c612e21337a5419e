"""The Live page's resampler in a real browser, for microphones that come at another rate."""

import pytest

from tests.support.browser import IN_BROWSER, Visit
from tests.support.daemon import Running

pytestmark = IN_BROWSER

MEASURE = """async ([from, tone, piece]) => {
    const { Resampler } = await import("/static/resampler.js");
    const resampler = new Resampler(from, 16000);
    const wave = (at) => Math.sin(2 * Math.PI * tone * at / from);
    const sound = Float32Array.from({ length: from }, (_, at) => wave(at));
    const out = [];
    for (let at = 0; at < from; at += piece)
        out.push(...resampler.push(sound.slice(at, at + piece)));
    // How much of what comes out is the tone, and how much is anything at all.
    const middle = out.slice(2000, 14000);
    let [sine, cosine, power] = [0, 0, 0];
    middle.forEach((value, at) => {
        sine += value * Math.sin(2 * Math.PI * tone * at / 16000);
        cosine += value * Math.cos(2 * Math.PI * tone * at / 16000);
        power += value * value;
    });
    const amplitude = 2 * Math.hypot(sine, cosine) / middle.length;
    return [out.length, amplitude, Math.sqrt(2 * power / middle.length)];
}"""


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
async def test_what_16_khz_can_hold_passes_and_nothing_else(
    server: Running, visit: Visit, rate: int
) -> None:
    """Tones of speech come out as they went in, whatever the pieces; higher ones are not folded
    down into it."""
    async with visit(server) as watched:
        for tone in (200, 1000, 3500, 6500):
            length, amplitude, whole = await watched.page.evaluate(MEASURE, [rate, tone, 128])
            assert abs(length - 16_000) <= 1
            assert amplitude == pytest.approx(1, abs=0.01)
            assert whole == pytest.approx(1, abs=0.01)
        for tone in (8500, 9500, 12000, 20000):
            _, _, whole = await watched.page.evaluate(MEASURE, [rate, tone, 1024])
            assert whole < 0.003
