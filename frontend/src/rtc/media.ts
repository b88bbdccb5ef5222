/**
 * The media of a call: both connections, what plays in the slots, what is looked at, and whether packets flow.
 *
 * Slots are named by their relay's epoch: while the meeting moves, the old connection plays by the old relay's slots.
 */
import type {
  Answered,
  FromBrowser,
  LookedAt,
  Refused,
  Slot,
  SlotsAssigned,
  View,
} from "../protocol/generated/meeting";
import type { CallSnapshot } from "./call";
import type { VideoCodec } from "./codecs";
import { Leg } from "./leg";
import { Publisher, type Tracks } from "./publisher";
import { type Counters, counters, qualities, transportPackets } from "./quality";
import { isPassing } from "./refusals";
import type { Store } from "./store";
import { Subscriber } from "./subscriber";
import { Viewing } from "./viewing";
import { PacketWatch } from "./watch";

const LOOK_EVERY_MS = 250;
const QUALITY_EVERY_MS = 2000;
/** The relay's feedback to a sender comes at least once a second (RFC 3550 §6.2). */
const FEEDBACK_PATIENCE_MS = 3000;
/** Those who have not moved yet still listen at the old relay for this while. */
const LINGER_MS = 1500;
/** Where nothing plays, the first packet is worth it; nobody may be sending. */
const FIRST_PACKET_MS = 1000;
/** While the old relay still plays, the new one has this long to bring as much; by then others have left the old one. */
const AS_MUCH_MS = 2000;

export interface MediaOptions {
  readonly seatCount: number;
  readonly codec: VideoCodec;
  readonly simulcast: boolean;
}

export interface MediaWorld {
  newId(): string;
  now(): number;
  random(): number;
  after(ms: number, act: () => void): () => void;
  send(message: FromBrowser): boolean;
  tracks(): Tracks;
}

export class Media {
  readonly #store: Store<CallSnapshot>;
  readonly #world: MediaWorld;
  readonly #send: Leg<RTCPeerConnection, Publisher>;
  readonly #receive: Leg<RTCPeerConnection, Subscriber>;
  readonly #viewing: Viewing;
  readonly #sendWatch = new PacketWatch(FEEDBACK_PATIENCE_MS);
  readonly #receiveWatch = new PacketWatch();
  #slots = new Map<number, readonly Slot[]>();
  #lookedAt: LookedAt | null = null;
  #epoch = 0;
  #reading: { at: number; counters: readonly Counters[] } = { at: 0, counters: [] };
  #stop: (() => void) | null = null;

  constructor(options: MediaOptions, store: Store<CallSnapshot>, world: MediaWorld) {
    this.#store = store;
    this.#world = world;
    this.#viewing = new Viewing(world);
    this.#send = new Leg(
      "send",
      () => new Publisher(world.tracks(), options.codec, options.simulcast),
      world,
      {
        promoted: (publisher, epoch) => {
          publisher.replace(world.tracks());
          this.#look(publisher, epoch);
          this.#sendWatch.rebuilt(world.now());
          this.#send.follow(this.#epoch);
        },
        broken: () => {},
      },
      LINGER_MS,
    );
    this.#receive = new Leg(
      "receive",
      () =>
        new Subscriber(options.seatCount, () =>
          store.get().media === "up"
            ? { tracks: Math.max(1, this.#due().length), within_ms: AS_MUCH_MS }
            : { tracks: 1, within_ms: FIRST_PACKET_MS },
        ),
      world,
      {
        promoted: (_, epoch) => {
          this.#reading = { at: 0, counters: [] };
          this.#receiveWatch.rebuilt(world.now());
          for (const other of this.#slots.keys()) if (other < epoch) this.#slots.delete(other);
          store.set({ media: "up" });
          this.#play();
          this.#viewing.again();
          this.#receive.follow(this.#epoch);
        },
        broken: () => store.set({ media: "stalled" }),
      },
    );
  }

  start(): void {
    const timer = setInterval(() => void this.#observe(), LOOK_EVERY_MS);
    this.#stop = () => clearInterval(timer);
  }

  close(): void {
    this.#stop?.();
    this.#viewing.close();
    this.#send.close();
    this.#receive.close();
  }

  /** Not in the meeting for now: nothing is sent and nothing plays. */
  outside(): void {
    this.#send.drop();
    this.#receive.drop();
    this.#slots.clear();
    this.#store.set({ media: "building", streams: new Map() });
  }

  /** Whether something was playing. */
  get playing(): boolean {
    return this.#receive.live !== null;
  }

  /** The relay of this epoch carries the meeting: build what is not connected to it. */
  follow(epoch: number): void {
    this.#epoch = Math.max(this.#epoch, epoch);
    this.#send.follow(this.#epoch);
    this.#receive.follow(this.#epoch);
  }

  /** The socket is new. */
  welcomed(epoch: number): void {
    this.follow(epoch);
    if (this.#receive.live !== null) this.#viewing.again();
  }

  answered(message: Answered): void {
    this.#send.answered(message);
    this.#receive.answered(message);
  }

  /** Whether the refusal was for an offer. */
  refused(message: Refused): boolean {
    const again = isPassing(message.code);
    const id = message.id ?? "";
    return this.#send.refused(id, again) || this.#receive.refused(id, again);
  }

  assigned(message: SlotsAssigned): void {
    this.#slots.set(message.epoch, message.slots);
    this.#play();
  }

  lookedAt(message: LookedAt): void {
    this.#lookedAt = message;
    if (this.#send.live !== null) this.#look(this.#send.live, this.#send.epoch);
  }

  /** What the page shows, most important first. */
  show(views: readonly View[]): void {
    this.#viewing.show(views);
  }

  /** Microphone, camera or screen are others now. */
  replaced(): void {
    const tracks = this.#world.tracks();
    this.#send.live?.replace(tracks);
    this.#send.building?.replace(tracks);
  }

  async stats(): Promise<Record<string, unknown>> {
    const read = async (peer: RTCPeerConnection | undefined): Promise<unknown[]> =>
      peer === undefined ? [] : [...(await peer.getStats()).values()];
    return {
      outbound: await read(this.#send.live?.peer),
      inbound: await read(this.#receive.live?.peer),
      slots: this.#present(),
      sendEpoch: this.#send.epoch,
      receiveEpoch: this.#receive.epoch,
      lookedAt: this.#lookedAt,
    };
  }

  /** What plays in the live connection. */
  #present(): readonly Slot[] {
    return this.#slots.get(this.#receive.epoch ?? -1) ?? [];
  }

  #play(): void {
    const subscriber = this.#receive.live;
    if (subscriber !== null) this.#store.set({ streams: subscriber.play(this.#present()) });
  }

  /** Another relay does not know yet who looks, so everything is sent to it. */
  #look(publisher: Publisher, epoch: number | null): void {
    publisher.watched(this.#lookedAt !== null && this.#lookedAt.epoch === epoch ? this.#lookedAt.views : null);
  }

  /** Four times a second: do packets flow? */
  async #observe(): Promise<void> {
    const now = this.#world.now();
    const receiving = this.#receive.live;
    if (receiving !== null && this.#receive.building === null) {
      const report = counters((await receiving.peer.getStats()).values());
      const packets = report.reduce((sum, entry) => sum + entry.packets, 0);
      if (this.#receive.live === receiving && this.#receiveWatch.observe(packets, this.#due().length > 0, now)) {
        this.#store.set({ media: "stalled" });
        this.#receive.rebuild();
      }
      if (now - this.#reading.at >= QUALITY_EVERY_MS) {
        const quality = qualities(this.#reading.counters, report, now - this.#reading.at, this.#present());
        this.#store.set({ quality });
        this.#reading = { at: now, counters: report };
      }
    }
    const sending = this.#send.live;
    if (sending !== null && this.#send.building === null) {
      const packets = transportPackets((await sending.peer.getStats()).values());
      const { microphone, camera } = this.#world.tracks();
      // A camera that nobody looks at may be silent, and its relay with it.
      const seen = this.#lookedAt?.views.find((view) => view.origin === "camera")?.heightPx !== 0;
      const expected = microphone !== null || (camera !== null && seen);
      if (this.#send.live === sending && this.#sendWatch.observe(packets, expected, now)) this.#send.rebuild();
    }
  }

  /** The slots whose people ought to be sending. A screen at rest may be silent. */
  #due(): readonly Slot[] {
    const { people } = this.#store.get().state;
    return this.#present().filter(({ participantId, origin }) => {
      const person = people.find((candidate) => candidate.id === participantId);
      if (person === undefined) return false;
      return (origin === "microphone" && !person.muted) || (origin === "camera" && person.cameraOn);
    });
  }
}
