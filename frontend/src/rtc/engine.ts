/**
 * The call: one person's place in a meeting, from the ticket to the goodbye. Knows no page.
 *
 * It binds the socket (signaling), the state (a fold over the journal), both connections (legs) and the local devices,
 * and shows all of it as one snapshot. Restrictions win: who was muted by a host while away comes back muted.
 */
import type { Answered, Line, Person, Refused, Role, Slot, ToBrowser, Welcomed } from "../protocol/generated/meeting";
import type { CallSnapshot, Ending, Notice } from "./call";
import type { VideoCodec } from "./codecs";
import { Leg } from "./leg";
import type { InputKind, LocalMedia } from "./local";
import { Publisher, type Tracks } from "./publisher";
import { type Counters, counters, qualities, transportPackets } from "./quality";
import { isPassing } from "./refusals";
import { browserWorld, Signaling, type World } from "./signaling";
import { apply, EMPTY } from "./state";
import { Store } from "./store";
import { Subscriber } from "./subscriber";
import { PacketWatch } from "./watch";

const LOOK_EVERY_MS = 250;
const QUALITY_EVERY_MS = 2000;
/** The relay's feedback to a sender comes at least once a second (RFC 3550 §6.2). */
const FEEDBACK_PATIENCE_MS = 3000;

export interface EngineOptions {
  readonly ticket: string;
  readonly participantId: string;
  readonly role: Role;
  readonly roomTitle: string;
  readonly socketUrl: string;
  readonly seatCount: number;
  readonly codec: VideoCodec;
  readonly local: LocalMedia;
  /** Coming back after a reload: the server already knows what is muted. */
  readonly resumed: boolean;
}

export class Engine {
  readonly store: Store<CallSnapshot>;
  readonly #options: EngineOptions;
  readonly #world: World;
  readonly #signaling: Signaling;
  readonly #send: Leg<RTCPeerConnection, Publisher>;
  readonly #receive: Leg<RTCPeerConnection, Subscriber>;
  readonly #sendWatch = new PacketWatch(FEEDBACK_PATIENCE_MS);
  readonly #receiveWatch = new PacketWatch();
  readonly #noticed = new Set<(notice: Notice) => void>();
  #slots: readonly Slot[] = [];
  #slotsEpoch = 0;
  #epoch = 0;
  #asked = new Map<string, { participantId: string; own: InputKind | null }>();
  #told: { muted: boolean; cameraOn: boolean } | null = null;
  #changedWhileAway = false;
  #reading: { at: number; counters: readonly Counters[] } = { at: 0, counters: [] };
  #stop: (() => void)[] = [];

  constructor(options: EngineOptions, world: World = browserWorld(options.socketUrl)) {
    this.#options = options;
    this.#world = world;
    this.store = new Store<CallSnapshot>({
      phase: "connecting",
      ending: null,
      refusal: null,
      linked: false,
      media: "building",
      me: options.participantId,
      role: options.role,
      roomTitle: options.roomTitle,
      state: EMPTY,
      streams: new Map(),
      speakers: [],
      quality: new Map(),
      unsent: [],
    });
    this.#signaling = new Signaling(options.ticket, world, {
      welcomed: (message) => this.#welcomed(message),
      line: (line) => this.#line(line),
      news: (message) => this.#news(message),
      lost: () => this.store.set({ linked: false }),
      refused: (refusal) => this.#end("refused", refusal),
    });
    const legWorld = {
      newId: () => crypto.randomUUID(),
      random: world.random,
      after: world.after,
      send: (offer: Parameters<Signaling["send"]>[0]) => this.#signaling.send(offer),
    };
    this.#send = new Leg("send", () => new Publisher(this.#tracks(), options.codec), legWorld, {
      promoted: (publisher, epoch) => {
        publisher.replace(this.#tracks());
        void publisher.keepResolution();
        this.#sendWatch.rebuilt(world.now());
        if (epoch < this.#epoch) this.#send.rebuild();
      },
      broken: () => {},
    });
    this.#receive = new Leg("receive", () => new Subscriber(options.seatCount, options.codec), legWorld, {
      promoted: (_, epoch) => {
        this.#reading = { at: 0, counters: [] };
        this.#receiveWatch.rebuilt(world.now());
        this.store.set({ media: "up" });
        this.#play();
        if (epoch < this.#epoch) this.#receive.rebuild();
      },
      broken: () => this.store.set({ media: "stalled" }),
    });
  }

  start(): void {
    this.#stop.push(this.#options.local.store.subscribe(() => this.#localChanged()));
    const looking = setInterval(() => void this.#look(), LOOK_EVERY_MS);
    const online = () => {
      if (!this.#signaling.connected) this.#signaling.reconnect();
    };
    window.addEventListener("online", online);
    this.#stop.push(
      () => clearInterval(looking),
      () => window.removeEventListener("online", online),
    );
    this.#signaling.start();
  }

  /** Hear of what happened; returns how to stop. */
  onNotice(heard: (notice: Notice) => void): () => void {
    this.#noticed.add(heard);
    return () => this.#noticed.delete(heard);
  }

  // --- what the person does ------------------------------------------------------------------------------------------
  say(text: string): void {
    const id = crypto.randomUUID();
    this.store.set({ unsent: [...this.store.get().unsent, { id, text }] });
    this.#signaling.request({ type: "say", id, text });
  }

  /** Mute somebody else, or ask them to unmute. */
  setMuted(participantId: string, muted: boolean): void {
    const id = crypto.randomUUID();
    this.#asked.set(id, { participantId, own: null });
    this.#signaling.request({ type: "mute", participantId, muted, id });
  }

  leave(): void {
    this.#signaling.close({ type: "leave" });
    this.#end("left", null);
  }

  endForAll(): void {
    this.#signaling.request({ type: "end", id: crypto.randomUUID() });
  }

  /** Stop everything without a word, as when the page goes away. */
  dispose(): void {
    for (const stop of this.#stop) stop();
    this.#stop = [];
    this.#signaling.close();
    this.#send.close();
    this.#receive.close();
  }

  /** For diagnosis: everything the browser counts, and what the engine makes of it. */
  async stats(): Promise<Record<string, unknown>> {
    const read = async (peer: RTCPeerConnection | undefined): Promise<unknown[]> =>
      peer === undefined ? [] : [...(await peer.getStats()).values()];
    return {
      outbound: await read(this.#send.live?.peer),
      inbound: await read(this.#receive.live?.peer),
      slots: this.#slots,
      sendEpoch: this.#send.epoch,
      receiveEpoch: this.#receive.epoch,
      state: this.store.get().state,
      seen: this.#signaling.sequence.seen,
      media: this.store.get().media,
      linked: this.store.get().linked,
    };
  }

  // --- what the server says --------------------------------------------------------------------------------------------
  #welcomed(message: Welcomed): void {
    const first = this.store.get().phase === "connecting";
    this.store.set({
      phase: "in",
      linked: true,
      me: message.participantId,
      role: message.role,
      roomTitle: message.roomTitle,
      state: message.state ?? this.store.get().state,
      unsent: this.store.get().unsent.filter((mine) => !message.state?.chat.some((said) => said.id === mine.id)),
    });
    this.#agree(first && !this.#options.resumed);
    if (this.store.get().state.over) {
      this.#end("over", null);
      return;
    }
    this.#send.ready();
    this.#receive.ready();
    this.#follow(message.epoch);
  }

  #line(line: Line): void {
    const before = this.store.get().state;
    const state = apply(before, line);
    const { me } = this.store.get();
    this.store.set({ state });
    const name = (id: string) => before.people.find((person) => person.id === id)?.name ?? "";
    switch (line.type) {
      case "joined":
        if (line.person.id !== me && !before.people.some((person) => person.id === line.person.id))
          this.#notice({ kind: "joined", name: line.person.name });
        break;
      case "left":
        if (line.participantId !== me) this.#notice({ kind: "left", name: name(line.participantId) });
        else if (line.reason === "removed") this.#end("removed", null);
        break;
      case "muted":
        if (line.participantId === me && line.by !== me) this.#mutedByOther(line.muted, name(line.by));
        break;
      case "camera-switched":
        if (line.participantId === me && line.by !== me) this.#cameraByOther(line.on, name(line.by));
        break;
      case "said":
        this.store.set({ unsent: this.store.get().unsent.filter((message) => message.id !== line.id) });
        if (line.participantId !== me) this.#notice({ kind: "said", name: line.name, text: line.text });
        break;
      case "moved":
        if (line.reason === "taken-over" && this.#receive.live !== null) this.store.set({ media: "stalled" });
        this.#follow(line.epoch);
        break;
      case "ended":
        this.#end("over", null);
        break;
      case "started":
        break;
      default:
        line satisfies never;
    }
  }

  #news(message: Exclude<ToBrowser, Line | Welcomed>): void {
    switch (message.type) {
      case "answered":
        this.#answered(message);
        break;
      case "refused":
        this.#refused(message);
        break;
      case "done": {
        const asked = this.#asked.get(message.id);
        this.#asked.delete(message.id);
        if (message.outcome === "requested" && asked !== undefined)
          this.#notice({ kind: "asked", name: this.#person(asked.participantId)?.name ?? "" });
        break;
      }
      case "slots-assigned":
        if (message.epoch < this.#slotsEpoch) break;
        this.#slotsEpoch = message.epoch;
        this.#slots = message.slots;
        this.#play();
        break;
      case "speakers-heard":
        this.store.set({ speakers: message.speakers });
        break;
      case "requested":
        this.#notice({
          kind: "requested",
          what: message.what,
          name: this.#person(message.by)?.name ?? "",
        });
        break;
      case "headed":
        break;
      default:
        message satisfies never;
    }
  }

  #answered(message: Answered): void {
    this.#send.answered(message);
    this.#receive.answered(message);
  }

  #refused(message: Refused): void {
    const id = message.id ?? "";
    const again = isPassing(message.code);
    if (this.#send.refused(id, again) || this.#receive.refused(id, again)) {
      if (!again) this.#notice({ kind: "refused", code: message.code, detail: message.detail });
      return;
    }
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    this.store.set({ unsent: this.store.get().unsent.filter((unsent) => unsent.id !== id) });
    if (asked?.own) {
      const mine = this.#person(this.store.get().me);
      const on = asked.own === "microphone" ? mine?.muted === false : mine?.cameraOn === true;
      this.#told = null;
      this.#options.local.setOn(asked.own, on, false);
    }
    this.#notice({ kind: "refused", code: message.code, detail: message.detail });
  }

  // --- media -------------------------------------------------------------------------------------------------------------
  /** Another relay carries the meeting: build new connections towards it. */
  #follow(epoch: number): void {
    this.#epoch = Math.max(this.#epoch, epoch);
    for (const leg of [this.#send, this.#receive]) {
      if (leg.epoch !== null && leg.epoch < epoch) leg.rebuild();
      else if (leg.live === null && leg.building === null) leg.rebuild();
    }
  }

  #play(): void {
    const subscriber = this.#receive.live;
    if (subscriber !== null) this.store.set({ streams: subscriber.play(this.#slots) });
  }

  #tracks(): Tracks {
    const { microphone, camera } = this.#options.local.store.get();
    return { microphone: microphone.track, camera: camera.on ? camera.track : null };
  }

  /** Four times a second: do packets flow? */
  async #look(): Promise<void> {
    const now = this.#world.now();
    const receiving = this.#receive.live;
    if (receiving !== null && this.#receive.building === null) {
      const report = counters((await receiving.peer.getStats()).values());
      const packets = report.reduce((sum, entry) => sum + entry.packets, 0);
      if (this.#receive.live === receiving && this.#receiveWatch.observe(packets, this.#expected(), now)) {
        this.store.set({ media: "stalled" });
        this.#receive.rebuild();
      }
      if (now - this.#reading.at >= QUALITY_EVERY_MS) {
        const quality = qualities(this.#reading.counters, report, now - this.#reading.at, this.#slots);
        this.store.set({ quality });
        this.#reading = { at: now, counters: report };
      }
    }
    const sending = this.#send.live;
    if (sending !== null && this.#send.building === null) {
      const packets = transportPackets((await sending.peer.getStats()).values());
      const { microphone, camera } = this.#tracks();
      const expected = microphone !== null || camera !== null;
      if (this.#send.live === sending && this.#sendWatch.observe(packets, expected, now)) this.#send.rebuild();
    }
  }

  /** Whether somebody whose tracks are assigned to us ought to be sending. */
  #expected(): boolean {
    return this.#slots.some((slot) => {
      const person = this.#person(slot.participantId);
      if (person === undefined) return false;
      return slot.kind === "audio" ? !person.muted : person.cameraOn;
    });
  }

  // --- this person's own microphone and camera -----------------------------------------------------------------------------
  #localChanged(): void {
    const tracks = this.#tracks();
    this.#send.live?.replace(tracks);
    this.#send.building?.replace(tracks);
    if (this.store.get().phase === "in") this.#tell();
  }

  #wish(): { muted: boolean; cameraOn: boolean } {
    const { microphone, camera } = this.#options.local.store.get();
    return {
      muted: !microphone.on || microphone.track === null,
      cameraOn: camera.on && camera.track !== null,
    };
  }

  /** Say what differs from what was said last. */
  #tell(): void {
    const wish = this.#wish();
    const told = this.#told;
    const participantId = this.store.get().me;
    const request = (own: InputKind): string => {
      const id = crypto.randomUUID();
      this.#asked.set(id, { participantId, own });
      return id;
    };
    let heard = true;
    if (told?.muted !== wish.muted)
      heard = this.#signaling.send({ type: "mute", participantId, muted: wish.muted, id: request("microphone") });
    if (told?.cameraOn !== wish.cameraOn)
      heard =
        this.#signaling.send({ type: "switch-camera", participantId, on: wish.cameraOn, id: request("camera") }) &&
        heard;
    if (!heard) this.#changedWhileAway = true;
    this.#told = wish;
  }

  /** After entering. The stricter side decides; a newcomer's camera (`fresh`) is as it was chosen in the lobby. */
  #agree(fresh: boolean): void {
    const person = this.#person(this.store.get().me);
    if (!this.#changedWhileAway && person !== undefined) {
      const { microphone, camera } = this.#options.local.store.get();
      if (person.muted && microphone.on) this.#options.local.setOn("microphone", false, false);
      if (!fresh && !person.cameraOn && camera.on) this.#options.local.setOn("camera", false, false);
    }
    this.#changedWhileAway = false;
    this.#told = person === undefined ? null : { muted: person.muted, cameraOn: person.cameraOn };
    this.#tell();
  }

  #mutedByOther(muted: boolean, name: string): void {
    this.#told = { muted, cameraOn: this.#told?.cameraOn ?? false };
    this.#options.local.setOn("microphone", !muted, false);
    if (muted) this.#notice({ kind: "muted-by", name });
  }

  #cameraByOther(on: boolean, name: string): void {
    this.#told = { muted: this.#told?.muted ?? true, cameraOn: on };
    this.#options.local.setOn("camera", on, false);
    if (!on) this.#notice({ kind: "camera-off-by", name });
  }

  #person(id: string): Person | undefined {
    return this.store.get().state.people.find((person) => person.id === id);
  }

  #notice(notice: Notice): void {
    for (const heard of this.#noticed) heard(notice);
  }

  #end(ending: Ending, refusal: CallSnapshot["refusal"]): void {
    if (this.store.get().phase === "ended") return;
    this.dispose();
    this.store.set({ phase: "ended", ending, refusal, linked: false, streams: new Map() });
  }
}
