/** The `receive` connection: a fixed number of seats (audio + video each), to which the server assigns people. */
import type { Origin, Slot } from "../protocol/generated/meeting";
import { received } from "./codecs";
import type { Build } from "./leg";
import { type Seat, seats, type UnitKey } from "./slots";

/** What a new connection must show before it is switched to. */
export interface Flow {
  readonly tracks: number;
  /** Nobody may be sending, so not for longer than this. */
  readonly within_ms: number;
}

export class Subscriber implements Build<RTCPeerConnection> {
  readonly peer: RTCPeerConnection;
  #streams = new Map<string, MediaStream>();
  #playing = new Map<UnitKey, MediaStream>();
  readonly #needed: () => Flow;

  constructor(seatCount: number, needed: () => Flow) {
    this.#needed = needed;
    this.peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    for (let seat = 0; seat < seatCount; seat += 1) {
      for (const kind of ["audio", "video"] as const) {
        const transceiver = this.peer.addTransceiver(kind, { direction: "recvonly" });
        const codecs = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
        transceiver.setCodecPreferences(received(codecs, kind));
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

  agreed(): Promise<void> {
    return Promise.resolve();
  }

  flowing(): Promise<void> {
    const { tracks, within_ms } = this.#needed();
    return new Promise((resolve) => {
      const count = (): void => {
        if (this.peer.getReceivers().filter((receiver) => !receiver.track.muted).length >= tracks) resolve();
      };
      setTimeout(resolve, within_ms);
      for (const receiver of this.peer.getReceivers()) receiver.track.addEventListener("unmute", count);
      count();
    });
  }

  /** What each tile plays. The same stream object is given as long as its tracks stay the same. */
  play(slots: readonly Slot[]): ReadonlyMap<UnitKey, MediaStream> {
    const now = new Map<UnitKey, MediaStream>();
    for (const [key, seat] of seats(slots)) {
      const stream = this.#streamOf(key, seat);
      if (stream !== null) now.set(key, stream);
    }
    this.#playing = now;
    return now;
  }

  #track(mid: string | null): MediaStreamTrack | null {
    if (mid === null) return null;
    return this.peer.getTransceivers().find((transceiver) => transceiver.mid === mid)?.receiver.track ?? null;
  }

  #streamOf(key: UnitKey, seat: Seat): MediaStream | null {
    const tracks = [this.#track(seat.audioMid), this.#track(seat.videoMid)].filter((track) => track !== null);
    if (tracks.length === 0) return null;
    const same = (stream: MediaStream | undefined): stream is MediaStream =>
      stream !== undefined &&
      stream.getTracks().length === tracks.length &&
      tracks.every((track) => stream.getTrackById(track.id) === track);
    const playing = this.#playing.get(key);
    if (same(playing)) return playing;
    // The server's own stream where it holds just these: its tracks are played in step.
    const given = this.#streams.get(seat.audioMid ?? seat.videoMid ?? "");
    return same(given) ? given : new MediaStream(tracks);
  }
}
