/**
 * The call: one person's place in a meeting, from the ticket to the goodbye. Knows no page.
 *
 * It binds the socket (signaling), the state (a fold over the journal), both connections (legs) and the local devices,
 * and shows all of it as one snapshot. Restrictions win: who was muted by a host while away comes back muted.
 */
import type {
  Line,
  Person,
  Reacted,
  Refused,
  Role,
  ToBrowser,
  View,
  WaitingPerson,
  Welcomed,
} from "../protocol/generated/meeting";
import type { CallSnapshot, Command, Ending, Notice } from "./call";
import type { LocalMedia } from "./local";
import { Media, type MediaOptions } from "./media";
import { Own } from "./own";
import { isPassing } from "./refusals";
import { browserWorld, Signaling, type World } from "./signaling";
import { apply, EMPTY } from "./state";
import { Store } from "./store";

/** A sign is shown this long, and so many at once. */
const REACTION_MS = 4000;
const REACTIONS = 8;

export interface EngineOptions extends MediaOptions {
  readonly ticket: string;
  readonly participantId: string;
  readonly role: Role;
  readonly roomTitle: string;
  readonly socketUrl: string;
  readonly local: LocalMedia;
  /** Coming back after a reload: the server already knows what is muted. */
  readonly resumed: boolean;
}

export class Engine {
  readonly store: Store<CallSnapshot>;
  readonly #options: EngineOptions;
  readonly #signaling: Signaling;
  readonly #media: Media;
  readonly #own: Own;
  readonly #world: World;
  readonly #noticed = new Set<(notice: Notice) => void>();
  /** Whom a request was about. */
  #asked = new Map<string, string>();
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
      waiting: [],
      reactions: [],
    });
    this.#signaling = new Signaling(options.ticket, world, {
      welcomed: (message) => this.#welcomed(message),
      line: (line) => this.#line(line),
      news: (message) => this.#news(message),
      lost: () => this.store.set({ linked: false }),
      refused: (refusal) => this.#end("refused", refusal),
    });
    const newId = (): string => crypto.randomUUID();
    const send: Signaling["send"] = (message) => this.#signaling.send(message);
    this.#own = new Own(options.local, { newId, send });
    this.#media = new Media(options, this.store, {
      newId,
      send,
      now: world.now,
      random: world.random,
      after: world.after,
      tracks: () => this.#own.tracks(),
    });
  }

  start(): void {
    const changed = (): void => {
      this.#media.replaced();
      if (this.store.get().phase === "in") this.#own.tell(this.store.get().me);
    };
    const online = (): void => {
      if (!this.#signaling.connected) this.#signaling.reconnect();
    };
    window.addEventListener("online", online);
    this.#stop.push(
      this.#options.local.store.subscribe(changed),
      this.#options.local.screen.store.subscribe(changed),
      () => window.removeEventListener("online", online),
    );
    this.#media.start();
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

  /** A verb of hosts, or a sign. */
  ask(command: Command): void {
    const id = crypto.randomUUID();
    this.#signaling.request(command.type === "react" ? command : { ...command, id });
  }

  /** Mute somebody else, or ask them to unmute. */
  setMuted(participantId: string, muted: boolean): void {
    this.#signaling.request({ type: "mute", participantId, muted, id: this.#about(participantId) });
  }

  /** One's own hand; hosts lower those of others. */
  setHand(participantId: string, raised: boolean): void {
    this.#signaling.request({ type: "raise-hand", participantId, raised, id: this.#about(participantId) });
  }

  /** End somebody else's sharing (hosts). */
  endScreen(participantId: string): void {
    this.#signaling.request({ type: "switch-screen", participantId, on: false, id: this.#about(participantId) });
  }

  /** What the page shows, most important first. */
  show(views: readonly View[]): void {
    this.#media.show(views);
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
    this.#media.close();
  }

  /** For diagnosis: everything the browser counts, and what the engine makes of it. */
  async stats(): Promise<Record<string, unknown>> {
    const { state, media, linked } = this.store.get();
    return { ...(await this.#media.stats()), state, media, linked, seen: this.#signaling.sequence.seen };
  }

  #about(participantId: string): string {
    const id = crypto.randomUUID();
    this.#asked.set(id, participantId);
    return id;
  }

  // --- what the server says --------------------------------------------------------------------------------------------
  #welcomed(message: Welcomed): void {
    const first = this.store.get().phase !== "in";
    this.store.set({
      phase: "in",
      linked: true,
      me: message.participantId,
      role: message.role,
      roomTitle: message.roomTitle,
      state: message.state ?? this.store.get().state,
      unsent: this.store.get().unsent.filter((mine) => !message.state?.chat.some((said) => said.id === mine.id)),
    });
    this.#own.agree(message.participantId, this.#person(message.participantId), first && !this.#options.resumed);
    if (this.store.get().state.over) {
      this.#end("over", null);
      return;
    }
    this.#media.welcomed(message.epoch);
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
        else if (line.reason === "removed" || line.reason === "banned") this.#end("removed", null);
        break;
      case "muted":
        if (line.participantId !== me || line.by === me) break;
        this.#own.switchedByOther("microphone", !line.muted);
        if (line.muted) this.#notice({ kind: "muted-by", name: name(line.by) });
        break;
      case "camera-switched":
        if (line.participantId !== me || line.by === me) break;
        this.#own.switchedByOther("camera", line.on);
        if (!line.on) this.#notice({ kind: "camera-off-by", name: name(line.by) });
        break;
      case "screen-switched":
        if (line.participantId !== me) {
          if (line.on) this.#notice({ kind: "shared", name: name(line.participantId) });
        } else if (line.by !== me) {
          this.#own.switchedByOther("screen", line.on);
          if (!line.on) this.#notice({ kind: "screen-off-by", name: name(line.by) });
        }
        break;
      case "hand-raised":
        if (line.participantId !== me) {
          if (line.raised) this.#notice({ kind: "hand", name: name(line.participantId) });
        } else if (line.by !== me && !line.raised) this.#notice({ kind: "hand-lowered-by", name: name(line.by) });
        break;
      case "renamed":
      case "decided":
        break;
      case "role-changed":
        if (line.participantId !== me) break;
        this.store.set({ role: line.role });
        if (line.role !== "host" && line.role !== "cohost") this.store.set({ waiting: [] });
        this.#notice({ kind: "role", role: line.role });
        break;
      case "spotlighted":
        if (line.participantId !== null) this.#notice({ kind: "spotlit", name: name(line.participantId) });
        break;
      case "locked":
        this.#notice({ kind: line.locked ? "locked" : "unlocked" });
        break;
      case "said":
        this.store.set({ unsent: this.store.get().unsent.filter((message) => message.id !== line.id) });
        if (line.participantId !== me) this.#notice({ kind: "said", name: line.name, text: line.text });
        break;
      case "moved":
        if (line.reason === "taken-over" && this.#media.playing) this.store.set({ media: "stalled" });
        if (line.reason === "drained") this.#notice({ kind: "moved" });
        this.#media.follow(line.epoch);
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
        this.#media.answered(message);
        break;
      case "refused":
        this.#refused(message);
        break;
      case "done": {
        const asked = this.#asked.get(message.id);
        this.#asked.delete(message.id);
        this.#own.done(message.id);
        if (message.outcome === "requested" && asked !== undefined)
          this.#notice({ kind: "asked", name: this.#person(asked)?.name ?? "" });
        break;
      }
      case "slots-assigned":
        this.#media.assigned(message);
        break;
      case "looked-at":
        this.#media.lookedAt(message);
        break;
      case "speakers-heard":
        this.store.set({ speakers: message.speakers });
        break;
      case "asked-to-wait":
        this.#media.outside();
        this.store.set({
          phase: "waiting",
          linked: true,
          me: message.participantId,
          roomTitle: message.roomTitle,
          state: EMPTY,
          speakers: [],
          waiting: [],
        });
        break;
      case "waiting-room":
        this.#waiting(message.people);
        break;
      case "reacted":
        this.#reacted(message);
        break;
      case "requested":
        this.#notice({
          kind: "requested",
          what: message.what,
          name: this.#person(message.by)?.name ?? "",
        });
        break;
      case "headed":
      case "handed-over":
        break;
      default:
        message satisfies never;
    }
  }

  #refused(message: Refused): void {
    const { code, detail } = message;
    if (this.#media.refused(message)) {
      if (!isPassing(code)) this.#notice({ kind: "refused", code, detail });
      return;
    }
    const id = message.id ?? "";
    this.#asked.delete(id);
    this.#own.refused(id, this.#person(this.store.get().me));
    this.store.set({ unsent: this.store.get().unsent.filter((unsent) => unsent.id !== id) });
    this.#notice({ kind: "refused", code, detail });
  }

  #waiting(people: readonly WaitingPerson[]): void {
    const known = new Set(this.store.get().waiting.map((person) => person.id));
    this.store.set({ waiting: people });
    const newest = people.findLast((person) => !known.has(person.id));
    if (newest !== undefined) this.#notice({ kind: "knocked", name: newest.name });
  }

  #reacted({ participantId, reaction }: Reacted): void {
    const id = crypto.randomUUID();
    this.store.set({ reactions: [...this.store.get().reactions, { id, participantId, reaction }].slice(-REACTIONS) });
    this.#world.after(REACTION_MS, () =>
      this.store.set({ reactions: this.store.get().reactions.filter((shown) => shown.id !== id) }),
    );
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
