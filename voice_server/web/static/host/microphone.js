/** The host's microphone: opened at a tap, sent to the show, given back. */

import { Microphone, MicrophoneError, closeContext, openContext } from "../voice/audio.js";
import { $, t } from "./common.js";

export class HostMicrophone {
  /** `link` is the console's socket; `say(text)` tells the host what went wrong. */
  constructor(link, say) {
    this.link = link;
    this.say = say;
    this.microphone = null;
    this.opening = false;
  }

  get open() {
    return this.microphone !== null;
  }

  async start() {
    if (this.open || this.opening) return;
    this.opening = true;
    this.context = openContext(); // in the tap itself: later a browser would not let it run
    try {
      this.microphone = await Microphone.open(this.context, (frame) => this.#frame(frame), () => this.#lost());
      this.link.send({ type: "mic", on: true });
    } catch (error) {
      closeContext(this.context);
      if (!(error instanceof MicrophoneError)) throw error;
      this.say(t(error.reason));
    } finally {
      this.opening = false;
      this.#show();
    }
  }

  stop() {
    if (!this.open) return;
    this.#close();
    this.link.send({ type: "mic", on: false });
  }

  /** The socket is back: the host goes on speaking where the line broke. */
  again() {
    if (this.open) this.link.send({ type: "mic", on: true, again: true });
  }

  /** The show says that nobody speaks: another console ended it, or nothing was heard for long. */
  ended() {
    if (this.open) this.#close();
  }

  #frame({ pcm, rms }) {
    this.link.sendBytes(pcm);
    $("level").style.transform = `scaleX(${Math.min(1, rms * 5)})`;
  }

  #lost() {
    this.stop();
    this.say(t("mic_lost"));
  }

  #close() {
    this.microphone.close();
    this.microphone = null;
    closeContext(this.context);
    this.#show();
  }

  #show() {
    $("mic-strip").hidden = !this.open;
    $("mic-words").textContent = t("mic_on");
  }
}
