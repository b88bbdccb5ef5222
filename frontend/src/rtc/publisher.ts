/**
 * The `send` connection: microphone, camera, screen and the screen's sound each have a section from the first offer on.
 *
 * Nothing flows in what is not used; switching is replacing a track, so there is never a second negotiation.
 */
import type { Origin, OwnView } from "../protocol/generated/meeting";
import { sent, type VideoCodec } from "./codecs";
import { cameraEncodings, tuned } from "./layers";
import type { Build } from "./leg";

/** Text of a full screen at 15 frames a second. */
const SCREEN_MAX_BPS = 2_500_000;
const SCREEN_MAX_FPS = 15;
/** Before a camera says how tall its picture is. */
const USUAL_HEIGHT_PX = 720;

export type Tracks = Readonly<Record<Origin, MediaStreamTrack | null>>;

const KINDS = { microphone: "audio", camera: "video", screen: "video", "screen-sound": "audio" } as const;
const ORIGINS = Object.keys(KINDS) as Origin[];

export class Publisher implements Build<RTCPeerConnection> {
  readonly peer: RTCPeerConnection;
  readonly #sections: Readonly<Record<Origin, RTCRtpTransceiver>>;
  #watched: readonly OwnView[] | null = null;
  #agreed = false;
  /** Settings are read and written as one step, so one after the other. */
  #tuning: Promise<void> = Promise.resolve();

  constructor(tracks: Tracks, codec: VideoCodec, simulcast: boolean) {
    this.peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    // What belongs together is one stream: whoever receives it keeps lips and voice in step.
    const person = new MediaStream();
    const screen = new MediaStream();
    const encodings: Partial<Record<Origin, RTCRtpEncodingParameters[]>> = {
      camera: cameraEncodings(codec, simulcast),
      screen: [{ maxBitrate: SCREEN_MAX_BPS, maxFramerate: SCREEN_MAX_FPS }],
    };
    const section = (origin: Origin): RTCRtpTransceiver => {
      const kind = KINDS[origin];
      const transceiver = this.peer.addTransceiver(kind, {
        direction: "sendonly",
        streams: [origin === "microphone" || origin === "camera" ? person : screen],
        sendEncodings: encodings[origin] ?? [],
      });
      const codecs = RTCRtpSender.getCapabilities(kind)?.codecs ?? [];
      transceiver.setCodecPreferences(sent(codecs, kind, codec));
      return transceiver;
    };
    this.#sections = {
      microphone: section("microphone"),
      camera: section("camera"),
      screen: section("screen"),
      "screen-sound": section("screen-sound"),
    };
    this.replace(tracks);
  }

  origins(): Record<string, Origin> {
    const found: Record<string, Origin> = {};
    for (const origin of ORIGINS) {
      const { mid } = this.#sections[origin];
      if (mid !== null) found[mid] = origin;
    }
    return found;
  }

  /** Send these from now on; null sends nothing. */
  replace(tracks: Tracks): void {
    for (const origin of ORIGINS) {
      const { sender } = this.#sections[origin];
      if (sender.track !== tracks[origin]) void sender.replaceTrack(tracks[origin]);
    }
    this.#tune();
  }

  /** Send no more than somebody looks at; null: that is not known. */
  watched(views: readonly OwnView[] | null): void {
    // The relay says it every 2 s.
    if (JSON.stringify(views) === JSON.stringify(this.#watched)) return;
    this.#watched = views;
    this.#tune();
  }

  agreed(): Promise<void> {
    this.#agreed = true;
    this.#tune();
    return this.#tuning;
  }

  flowing(): Promise<void> {
    return Promise.resolve();
  }

  #tune(): void {
    if (!this.#agreed) return;
    this.#tuning = this.#tuning.then(async () => {
      await this.#set("camera", (encodings) => tuned(encodings, this.#height("camera"), this.#watchedHeight("camera")));
      await this.#set("screen", (encodings) =>
        encodings.map((encoding) => ({ ...encoding, active: this.#watchedHeight("screen") !== 0 })),
      );
    });
  }

  /** Keep the picture's size, give up frames first: with Chromium's own choice 720p takes some 24 s to be reached. */
  async #set(origin: Origin, change: (encodings: RTCRtpEncodingParameters[]) => RTCRtpEncodingParameters[]) {
    if (this.peer.connectionState === "closed") return;
    const { sender } = this.#sections[origin];
    const parameters = sender.getParameters();
    parameters.degradationPreference = "maintain-resolution";
    parameters.encodings = change(parameters.encodings);
    try {
      await sender.setParameters(parameters);
    } catch (error) {
      // Closed in the meantime; there is nothing to set any more.
      if ((this.peer.connectionState as string) !== "closed") throw error;
    }
  }

  #height(origin: Origin): number {
    return this.#sections[origin].sender.track?.getSettings().height ?? USUAL_HEIGHT_PX;
  }

  #watchedHeight(origin: Origin): number | null {
    return this.#watched?.find((view) => view.origin === origin)?.heightPx ?? null;
  }
}
