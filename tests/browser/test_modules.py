"""The pure modules of the button, run where they live: in the browser."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.browser.conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def blank(page: Page, site: Site) -> Page:
    """A page of our origin on which modules can be imported."""
    await page.goto(f"{site.url}/static/icons/icon.svg")
    await page.goto(f"{site.url}/api/shop")
    return page


SINE = """
  const { Resampler } = await import("/static/voice/resampler.js");
  const tone = (rate, hz, n) => Float32Array.from({ length: n }, (_, i) => Math.sin(2 * Math.PI * hz * i / rate));
  const run = (from, to, input, block) => {
    const resampler = new Resampler(from, to);
    const out = [];
    for (let i = 0; i < input.length; i += block) out.push(...resampler.process(input.subarray(i, i + block)));
    return out;
  };
  const power = (samples) => samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
"""  # noqa: E501


@pytest.mark.parametrize("rates", [(48000, 24000), (44100, 24000), (16000, 24000), (24000, 44100)])
async def test_resampler_keeps_speech(blank: Page, rates: tuple[int, int]) -> None:
    """A tone of 1 kHz comes out as the same tone: what differs lies 70 dB below it."""
    error_db = await blank.evaluate(
        "async ([from, to]) => {"
        + SINE
        + """
          const out = run(from, to, tone(from, 1000, from / 4), 128).slice(400, -400);
          const ideal = tone(to, 1000, to).slice(400, 400 + out.length);
          return 10 * Math.log10(power(out.map((x, i) => x - ideal[i])) / power([...ideal]));
        }""",
        list(rates),
    )
    assert error_db < -70


async def test_resampler_lets_nothing_fold_back(blank: Page) -> None:
    """14 kHz cannot live at 24 kHz: it must vanish, not appear at 10 kHz."""
    left_db = await blank.evaluate(
        "async () => {"
        + SINE
        + """
          const out = run(48000, 24000, tone(48000, 14000, 12000), 128).slice(400, -400);
          return 10 * Math.log10(power(out) / 0.5 + 1e-20);
        }"""
    )
    assert left_db < -65


async def test_resampler_does_not_care_how_the_signal_is_cut(blank: Page) -> None:
    differing = await blank.evaluate(
        "async () => {"
        + SINE
        + """
          const input = tone(44100, 440, 5000);
          const whole = run(44100, 24000, input, 5000);
          const pieces = run(44100, 24000, input, 37);
          return [Math.max(...whole.map((x, i) => Math.abs(x - pieces[i]))), whole.length - pieces.length];
        }"""  # noqa: E501
    )
    assert differing[0] < 1e-6
    assert differing[1] == 0


QUEUE = """
  const { PlaybackQueue } = await import("/static/voice/playback-queue.js");
  const queue = new PlaybackQueue(1000);
  const ramp = (from, n) => Float32Array.from({ length: n }, (_, i) => from + i);
  const pull = (n) => { const block = new Float32Array(n); const emptied = queue.pull(block); return { block: [...block], emptied, at: queue.positionMs }; };
"""  # noqa: E501


async def _queue(page: Page, steps: str) -> Any:
    return await page.evaluate("async () => {" + QUEUE + steps + "}")


async def test_playback_waits_for_a_cushion_and_then_plays_every_sample(blank: Page) -> None:
    result = await _queue(
        blank,
        """
          queue.push("a", 0, ramp(1, 20));
          const early = pull(10);
          queue.push("a", 20, ramp(21, 50));
          return [early, pull(30), pull(30), pull(30)];
        """,
    )
    assert result[0] == {"block": [0] * 10, "emptied": False, "at": 0}
    assert result[1] == {"block": list(range(1, 31)), "emptied": False, "at": 30}
    assert result[2] == {"block": list(range(31, 61)), "emptied": False, "at": 60}
    assert result[3] == {"block": [*range(61, 71), *[0] * 20], "emptied": True, "at": 70}


async def test_playback_of_a_short_reply_does_not_wait(blank: Page) -> None:
    result = await _queue(
        blank, 'queue.push("a", 0, ramp(1, 5)); queue.end("a"); return pull(10).block;'
    )
    assert result == [1, 2, 3, 4, 5, 0, 0, 0, 0, 0]


async def test_playback_after_patience_plays_what_there_is(blank: Page) -> None:
    result = await _queue(
        blank,
        """
          queue.push("a", 0, ramp(1, 5));
          const blocks = [];
          for (let i = 0; i < 20; i += 1) blocks.push(pull(10));
          return blocks.findIndex(({ block }) => block[0] === 1);
        """,
    )
    assert result == 15, "at 160 ms, ten samples of 1 ms at a time"


async def test_clear_fades_and_forgets_and_the_position_stays(blank: Page) -> None:
    result = await _queue(
        blank,
        """
          queue.push("a", 500, ramp(1000, 100).map(() => 1));
          pull(50);
          queue.clear();
          const fade = pull(50);
          queue.push("a", 540, ramp(0, 80));
          const again = pull(10);
          return [fade, again, queue.bufferedMs];
        """,
    )
    fade, again, left = result
    assert fade["at"] == 550
    assert fade["block"][2:] == [0] * 48
    assert fade["block"][0] < 1
    assert again["at"] == 550
    assert again["block"] == list(range(10))
    assert left == 70


async def test_core_shows_clauses_when_they_sound(blank: Page) -> None:
    result = await blank.evaluate(
        """async () => {
          const { Core } = await import("/static/voice/core.js");
          const core = new Core();
          const texts = [];
          const see = (orders) => { for (const { kind, entry } of orders) if (kind === "entry") texts.push(entry.clauses.map(c => c.text).join("|")); };
          core.receive({ type: "session.created", session: { id: "s" }, voice_server: { extensions: ["captions", "binary"] } });
          core.receive({ type: "response.created", response: { id: "r" } });
          core.receive({ type: "voice_server.audio_stream", stream: 7, response_id: "r", item_id: "i" });
          see(core.receive({ type: "voice_server.caption", response_id: "r", item_id: "i", index: 0, text: "A", start_ms: 0 }));
          see(core.receive({ type: "voice_server.caption", response_id: "r", item_id: "i", index: 1, text: "B", start_ms: 500 }));
          const unknown = core.frame({ stream: 8, offsetMs: 0, samples: new Float32Array(1) }).length;
          const sound = core.frame({ stream: 7, offsetMs: 0, samples: new Float32Array(1) })[0].kind;
          see(core.played("r", 10, false));
          see(core.played("r", 499, false));
          see(core.played("r", 500, false));
          const late = core.interrupted().map(({ kind }) => kind);
          const after = core.frame({ stream: 7, offsetMs: 9, samples: new Float32Array(1) }).length;
          return { texts, unknown, sound, late, after };
        }"""  # noqa: E501
    )
    assert result == {
        "texts": ["A", "A|B"],
        "unknown": 0,
        "sound": "sound",
        "late": ["flush", "entry"],
        "after": 0,
    }


async def test_state_table(blank: Page) -> None:
    rows = [
        ({"link": "off"}, "idle"),
        ({"link": "connecting", "open": True}, "connecting"),
        ({"link": "reconnecting", "playing": True}, "reconnecting"),
        ({"link": "failed"}, "error"),
        ({"link": "open", "asking": True}, "connecting"),
        ({"link": "open", "asking": True, "awaiting": True}, "thinking"),
        ({"link": "open"}, "ready"),
        ({"link": "open", "open": True}, "listening"),
        ({"link": "open", "open": True, "awaiting": True}, "thinking"),
        ({"link": "open", "open": True, "responding": True}, "thinking"),
        ({"link": "open", "playing": True, "responding": True}, "speaking"),
        ({"link": "open", "held": True, "playing": True}, "paused"),
        ({"link": "open", "hearing": True, "awaiting": True}, "listening"),
    ]
    states = await blank.evaluate(
        """async (rows) => {
          const { STATES, stateOf } = await import("/static/voice/state.js");
          const found = rows.map(stateOf);
          return found.every((state) => STATES.includes(state)) ? found : "unknown state";
        }""",
        [facts for facts, _ in rows],
    )
    assert states == [state for _, state in rows]


async def test_backoff_grows_spreads_and_is_bounded(blank: Page) -> None:
    pauses = await blank.evaluate(
        """async () => {
          const { backoffMs } = await import("/static/voice/link.js");
          return [0, 1, 2, 5, 20].map((n) => [backoffMs(n, () => 0), backoffMs(n, () => 1)]);
        }"""
    )
    assert pauses[0] == [200, pytest.approx(300)]
    assert pauses[1] == [400, pytest.approx(600)]
    assert pauses[4] == [6400, pytest.approx(9600)]
    total = sum(low for low, _ in pauses)
    assert total > 0


async def test_urls_that_could_run_scripts_are_refused(blank: Page) -> None:
    safe = await blank.evaluate(
        """async () => {
          const { safeUrl } = await import("/static/voice/log.js");
          const base = "https://host.test/";
          return ["javascript:alert(1)", "data:text/html,x", "", "vbscript:x", "//other.test/a", "/p/1", "https://a.test/b"].map((u) => safeUrl(u, base));
        }"""  # noqa: E501
    )
    assert safe == [
        None,
        None,
        None,
        None,
        "https://other.test/a",
        "https://host.test/p/1",
        "https://a.test/b",
    ]


async def test_frames_of_unknown_type_are_ignored(blank: Page) -> None:
    frames = await blank.evaluate(
        """async () => {
          const { parseFrame, toPcm16 } = await import("/static/voice/pcm.js");
          const bytes = (...b) => new Uint8Array(b).buffer;
          const frame = parseFrame(bytes(1, 0, 2, 1, 0x10, 0x27, 0, 0, 0, 0x40, 0, 0xc0));
          return [parseFrame(bytes(2, 0, 0, 0, 0, 0, 0, 0, 0, 0)), parseFrame(bytes(1, 0)),
            { ...frame, samples: [...frame.samples] },
            [...toPcm16(Float32Array.of(0, 2, -2, 0.5))]];
        }"""
    )
    assert frames[:2] == [None, None]
    assert frames[2] == {"stream": 258, "offsetMs": 10000, "samples": [0.5, -0.5]}
    assert frames[3] == [0, 32767, -32767, 16384]


async def test_every_language_has_every_text(blank: Page) -> None:
    missing = await blank.evaluate(
        """async () => {
          const { LANGUAGES, texts, chooseLanguage } = await import("/static/voice/i18n.js");
          const { TEXTS } = await import("/static/page/texts.js");
          const wrong = [];
          for (const of of [texts, (code) => TEXTS[code]]) {
            const keys = Object.keys(of("en")).sort().join();
            for (const code of Object.keys(LANGUAGES)) {
              if (Object.keys(of(code)).sort().join() !== keys) wrong.push(code);
              if (Object.values(of(code)).some((text) => !text.trim())) wrong.push(`${code} empty`);
            }
          }
          return [wrong, chooseLanguage(null, "xx", "nl-BE"), chooseLanguage("pt")];
        }"""
    )
    assert missing == [[], "nl", "en"]
