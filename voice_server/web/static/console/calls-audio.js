/** The ear and the mouth of the page: a call's voices, and the microphone of who sits here. */

import { Microphone, closeContext, openContext, wake } from "../voice/audio.js";
import { fromPcm16 } from "../voice/pcm.js";

export class CallAudio {
  #context = null;
  #node = null;
  #microphone = null;
  /** What the worklet told last, for tests and the curious. */
  report = { receivedMs: 0, waitingMs: 0, dropped: 0 };

  /** Must be called in a tap or key handler. */
  async open() {
    if (this.#context) return wake(this.#context);
    this.#context = openContext();
    const context = this.#context;
    await context.audioWorklet.addModule(new URL("listen-worklet.js", import.meta.url));
    if (context !== this.#context) return;
    this.#node = new AudioWorkletNode(context, "call-listen", { numberOfInputs: 0, outputChannelCount: [1] });
    this.#node.port.onmessage = ({ data }) => { this.report = data; };
    this.#node.connect(context.destination);
  }

  /** @param {ArrayBuffer} data a byte of side, then PCM16 */
  play(side, data) {
    const samples = fromPcm16(new DataView(data, 1));
    this.#node?.port.postMessage({ side, samples }, [samples.buffer]);
  }

  /** @throws {MicrophoneError} */
  async speak(onFrame, onLost) {
    await this.open();
    if (this.#microphone) return;
    this.#microphone = await Microphone.open(this.#context, onFrame, onLost);
  }

  mute() {
    this.#microphone?.close();
    this.#microphone = null;
  }

  close() {
    this.mute();
    this.#node?.port.postMessage({ stop: true });
    this.#node?.disconnect();
    this.#node = null;
    if (this.#context) closeContext(this.#context);
    this.#context = null;
  }
}
