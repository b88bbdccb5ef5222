/** The `receive` connection: a fixed number of seats (audio + video each), to which the server assigns people. */
import type { Origin, Slot } from "../protocol/generated/meeting";
import { preferred, type VideoCodec } from "./codecs";
import type { Build } from "./leg";
import { type Seat, seats } from "./slots";

/** A new connection is switched to when its first packet came, or after this while (nobody may be sending). */
const FLOWING_MS = 1000;

export class Subscriber implements Build<RTCPeerConnection> {
  readonly peer: RTCPeerConnection;
  #streams = new Map<string, MediaStream>();
  #playing = new Map<string, MediaStream>();

  constructor(seatCount: number, codec: VideoCodec) {
    this.peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    for (let seat = 0; seat < seatCount; seat += 1) {
      for (const kind of ["audio", "video"] as const) {
        const transceiver = this.peer.addTransceiver(kind, { direction: "recvonly" });
        const codecs = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
        transceiver.setCodecPreferences(preferred(codecs, kind, codec));
      }
    }
    this.peer.ontrack = (event) => {
      const mid = event.transceiver.mid;
      const stream = event.streams[0];
      if (mid !== null && stream !== undefined) this.#streams.set(mid, stream);
    };
  }

  origins(): Record<string, Origin> {
    return {};
  }

  flowing(): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, FLOWING_MS);
      for (const receiver of this.peer.getReceivers()) {
        if (!receiver.track.muted) resolve();
        receiver.track.addEventListener("unmute", () => resolve(), { once: true });
      }
    });
  }

  /** What each participant's tile plays. The same stream object is given as long as its tracks stay the same. */
  play(slots: readonly Slot[]): ReadonlyMap<string, MediaStream> {
    const now = new Map<string, MediaStream>();
    for (const seat of seats(slots).values()) {
      const stream = this.#streamOf(seat);
      if (stream !== null) now.set(seat.participantId, stream);
    }
    this.#playing = now;
    return now;
  }

  #track(mid: string | null): MediaStreamTrack | null {
    if (mid === null) return null;
    return this.peer.getTransceivers().find((transceiver) => transceiver.mid === mid)?.receiver.track ?? null;
  }

  #streamOf(seat: Seat): MediaStream | null {
    const tracks = [this.#track(seat.audioMid), this.#track(seat.videoMid)].filter((track) => track !== null);
    if (tracks.length === 0) return null;
    const same = (stream: MediaStream | undefined): stream is MediaStream =>
      stream !== undefined &&
      stream.getTracks().length === tracks.length &&
      tracks.every((track) => stream.getTrackById(track.id) === track);
    const playing = this.#playing.get(seat.participantId);
    if (same(playing)) return playing;
    // The server's own stream where it holds just these: its tracks are played in step.
    const given = this.#streams.get(seat.audioMid ?? seat.videoMid ?? "");
    return same(given) ? given : new MediaStream(tracks);
  }
}
