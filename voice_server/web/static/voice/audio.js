/** The two ends of the audio: microphone and loudspeaker, both in one AudioContext. */

const workletUrl = (name) => new URL(name, import.meta.url);

/** Why there is no microphone; `reason` is a key of the texts. */
export class MicrophoneError extends Error {
  constructor(reason, cause) {
    super(`no microphone: ${reason}`, { cause });
    this.reason = reason;
  }
}

/** What getUserMedia says, in the terms of what the visitor can do about it. */
const REASONS = {
  NotAllowedError: "micDenied",
  SecurityError: "micDenied",
  NotFoundError: "micMissing",
  OverconstrainedError: "micMissing",
  NotReadableError: "micBusy",
  AbortError: "micBusy",
};

/**
 * Make the audio context. Must be called inside a tap or key handler: Safari on iOS lets a page
 * make sound only then, and only if resume() is called in the same turn of the event loop.
 */
export function openContext() {
  // Without this, iOS plays through the ear piece, or stays mute with the ring switch off.
  if (navigator.audioSession) navigator.audioSession.type = "play-and-record";
  const context = new AudioContext({ latencyHint: "interactive" });
  wake(context);
  return context;
}

/** Give the system its sound back: music that played before may go on. */
export function closeContext(context) {
  context.onstatechange = null;
  context.close();
  if (navigator.audioSession) navigator.audioSession.type = "auto";
}

/** Resume after a phone call, a locked screen ("interrupted" on iOS) or the autoplay rule. */
export function wake(context) {
  if (context.state === "running" || context.state === "closed") return;
  context.resume().catch((error) => console.warn("voice-button: no sound yet", error));
}

/** Plays replies; reports what is heard. */
export class Player {
  /**
   * @param {AudioContext} context
   * @param {(report: {responseId: string, positionMs: number, rms: number, idle: boolean}) => void} report
   */
  static async open(context, report) {
    await context.audioWorklet.addModule(workletUrl("playback-worklet.js"));
    return new Player(context, report);
  }

  constructor(context, report) {
    this.context = context;
    this.node = new AudioWorkletNode(context, "voice-playback", {
      numberOfInputs: 0, outputChannelCount: [1],
    });
    this.volume = new GainNode(context);
    this.node.connect(this.volume).connect(context.destination);
    // A report that was on its way when we flushed belongs to the past.
    this.generation = 0;
    this.pushed = 0;
    this.node.port.onmessage = ({ data }) => {
      if (data.generation !== this.generation) return;
      const late = (context.outputLatency || context.baseLatency || 0) * 1000;
      // It fell silent only if nothing was on its way to it.
      const idle = data.idle && data.received === this.pushed;
      const positionMs = Math.max(0, data.positionMs - (idle ? 0 : late));
      report({ responseId: data.stream, positionMs, rms: data.rms, idle });
    };
  }

  play(responseId, offsetMs, samples) {
    this.pushed += 1;
    this.node.port.postMessage({ push: { stream: responseId, offsetMs, samples } }, [samples.buffer]);
  }

  ended(responseId) {
    this.node.port.postMessage({ end: responseId });
  }

  flush() {
    this.generation += 1;
    this.node.port.postMessage({ clear: this.generation });
  }

  set silent(value) {
    this.volume.gain.setTargetAtTime(value ? 0 : 1, this.context.currentTime, 0.01);
  }

  close() {
    this.node.port.postMessage({ stop: true });
    this.node.disconnect();
  }
}

/** The microphone, as frames of 20 ms. */
export class Microphone {
  /**
   * @param {AudioContext} context
   * @param {(frame: {pcm: ArrayBuffer, rms: number}) => void} onFrame
   * @param {() => void} onLost the device was unplugged or taken away
   * @throws {MicrophoneError}
   */
  static async open(context, onFrame, onLost) {
    if (!navigator.mediaDevices?.getUserMedia) throw new MicrophoneError("micInsecure");
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
      });
    } catch (error) {
      throw new MicrophoneError(REASONS[error.name] ?? "micDenied", error);
    }
    try {
      await context.audioWorklet.addModule(workletUrl("capture-worklet.js"));
      return new Microphone(context, stream, onFrame, onLost);
    } catch (error) {
      for (const track of stream.getTracks()) track.stop();
      throw error;
    }
  }

  constructor(context, stream, onFrame, onLost) {
    this.stream = stream;
    this.source = new MediaStreamAudioSourceNode(context, { mediaStream: stream });
    this.node = new AudioWorkletNode(context, "voice-capture", { outputChannelCount: [1] });
    this.node.port.onmessage = ({ data }) => onFrame(data);
    // Its output is silence; a node that leads nowhere is not run by every browser.
    this.source.connect(this.node).connect(context.destination);
    for (const track of stream.getAudioTracks()) track.onended = onLost;
  }

  close() {
    for (const track of this.stream.getTracks()) {
      track.onended = null;
      track.stop();
    }
    this.node.port.postMessage("stop");
    this.node.port.onmessage = null;
    this.source.disconnect();
    this.node.disconnect();
  }
}
