/** The `send` connection: one section for the microphone, one for the camera, from the first offer on. */
import type { Origin } from "../protocol/generated/meeting";
import { preferred, type VideoCodec } from "./codecs";
import type { Build } from "./leg";

/** What a 1280×720 picture of a person is worth at 30 frames a second in VP8 or H264 baseline. */
const CAMERA_MAX_BPS = 2_500_000;

export interface Tracks {
  readonly microphone: MediaStreamTrack | null;
  readonly camera: MediaStreamTrack | null;
}

export class Publisher implements Build<RTCPeerConnection> {
  readonly peer: RTCPeerConnection;
  readonly #microphone: RTCRtpTransceiver;
  readonly #camera: RTCRtpTransceiver;

  constructor(tracks: Tracks, codec: VideoCodec) {
    this.peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    // One stream for both, so that whoever receives them keeps lips and voice together.
    const streams = [new MediaStream()];
    this.#microphone = this.peer.addTransceiver("audio", { direction: "sendonly", streams });
    this.#camera = this.peer.addTransceiver("video", {
      direction: "sendonly",
      streams,
      sendEncodings: [{ maxBitrate: CAMERA_MAX_BPS }],
    });
    for (const [transceiver, kind] of [
      [this.#microphone, "audio"],
      [this.#camera, "video"],
    ] as const) {
      const codecs = RTCRtpSender.getCapabilities(kind)?.codecs ?? [];
      transceiver.setCodecPreferences(preferred(codecs, kind, codec));
    }
    this.replace(tracks);
  }

  origins(): Record<string, Origin> {
    const found: Record<string, Origin> = {};
    if (this.#microphone.mid !== null) found[this.#microphone.mid] = "microphone";
    if (this.#camera.mid !== null) found[this.#camera.mid] = "camera";
    return found;
  }

  /** Send these from now on; null sends nothing. No negotiation is needed. */
  replace(tracks: Tracks): void {
    for (const [transceiver, track] of [
      [this.#microphone, tracks.microphone],
      [this.#camera, tracks.camera],
    ] as const) {
      if (transceiver.sender.track !== track) void transceiver.sender.replaceTrack(track);
    }
  }

  /**
   * Keep the picture's size, give up frames first: with Chromium's own choice 720p takes some 24 s to be reached.
   * To be called once the sections are negotiated.
   */
  async keepResolution(): Promise<void> {
    const parameters = this.#camera.sender.getParameters();
    parameters.degradationPreference = "maintain-resolution";
    await this.#camera.sender.setParameters(parameters);
  }

  flowing(): Promise<void> {
    return Promise.resolve();
  }
}
