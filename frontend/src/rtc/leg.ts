/**
 * One of the two connections (`send`, `receive`), kept alive over as many RTCPeerConnections as it takes.
 *
 * Theory: the live connection plays on while the next one is built (make before break): offer → answer → connected →
 * promoted, and only then is the old one closed. One offer is in flight; a newer attempt forgets the older one. Whatever
 * goes wrong (no answer in 3 s, a refusal, not connected in 5 s, failed) leads to a fresh offer after a pause that grows.
 * Towards another relay the old connection may be kept a while longer: those who still listen there lose nothing.
 */
import type { Answered, Connection, Offer, Origin } from "../protocol/generated/meeting";
import { backoffMs } from "./backoff";

const ANSWER_MS = 3000;
const CONNECT_MS = 5000;

/** What is needed of an RTCPeerConnection. */
export interface Peer {
  readonly connectionState: string;
  onconnectionstatechange: ((event: Event) => unknown) | null;
  createOffer(): Promise<RTCSessionDescriptionInit>;
  setLocalDescription(description: RTCSessionDescriptionInit): Promise<void>;
  setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void>;
  close(): void;
}

/** A connection under construction or in use. `origins` is read once the offer has given its sections their mids. */
export interface Build<P extends Peer> {
  readonly peer: P;
  origins(): Record<string, Origin>;
  /** The answer was taken: what was agreed on is known. */
  agreed(): Promise<void>;
  /** Resolves when the connection is worth switching to. */
  flowing(): Promise<void>;
}

export interface LegWorld {
  newId(): string;
  random(): number;
  after(ms: number, act: () => void): () => void;
  /** False when there is no socket; `follow` is then called on the leg once there is one. */
  send(offer: Offer): boolean;
}

export interface LegListener<B> {
  promoted(build: B, epoch: number): void;
  /** The live connection is gone and nothing plays. */
  broken(): void;
}

interface Attempt<B> {
  readonly id: string;
  readonly build: B;
  epoch: number;
  offered: boolean;
  answered: boolean;
  cancel: () => void;
}

export class Leg<P extends Peer, B extends Build<P>> {
  #live: { build: B; epoch: number } | null = null;
  #next: Attempt<B> | null = null;
  #failures = 0;
  #turn = 0;
  #pause: (() => void) | null = null;
  /** Old connections that are kept a while. */
  #lingering = new Set<P>();
  #closed = false;
  readonly #connection: Connection;
  readonly #make: () => Promise<B> | B;
  readonly #world: LegWorld;
  readonly #listener: LegListener<B>;
  readonly #linger_ms: number;

  constructor(
    connection: Connection,
    make: () => Promise<B> | B,
    world: LegWorld,
    listener: LegListener<B>,
    linger_ms = 0,
  ) {
    this.#linger_ms = linger_ms;
    this.#connection = connection;
    this.#make = make;
    this.#world = world;
    this.#listener = listener;
  }

  get live(): B | null {
    return this.#live?.build ?? null;
  }

  get epoch(): number | null {
    return this.#live?.epoch ?? null;
  }

  get building(): B | null {
    return this.#next?.build ?? null;
  }

  /**
   * There is a socket (again), or another relay: build towards the relay of `epoch`, unless there is a connection to it
   * or one that it has answered.
   */
  follow(epoch: number): void {
    const next = this.#next;
    // An offer that is not answered yet may have gone to the relay before.
    if (next?.answered && next.epoch >= epoch) return;
    if (next === null && this.#live !== null && this.#live.epoch >= epoch) return;
    this.rebuild();
  }

  /** Build a connection with a fresh offer, instead of any that is being built. */
  rebuild(): void {
    this.#forgetNext();
    this.#unpause();
    void this.#begin();
  }

  answered(message: Answered): void {
    const attempt = this.#next;
    if (attempt === null || attempt.id !== message.id || attempt.answered) return;
    attempt.answered = true;
    attempt.epoch = message.epoch;
    attempt.cancel();
    attempt.cancel = this.#world.after(CONNECT_MS, () => this.#fail(attempt));
    void this.#agree(attempt, message.sdp);
  }

  /** True when the refusal was for this leg's offer. `again`: whether a fresh offer may fare better. */
  refused(id: string, again: boolean): boolean {
    if (this.#next?.id !== id) return false;
    if (again) this.#fail(this.#next);
    else this.#forgetNext();
    return true;
  }

  close(): void {
    this.#closed = true;
    this.drop();
  }

  /** Let every connection go, until it is asked for anew. */
  drop(): void {
    this.#turn += 1;
    this.#unpause();
    this.#forgetNext();
    this.#live?.build.peer.close();
    this.#live = null;
    for (const peer of this.#lingering) peer.close();
    this.#lingering.clear();
  }

  async #begin(): Promise<void> {
    if (this.#closed) return;
    this.#turn += 1;
    const turn = this.#turn;
    const build = await this.#make();
    const attempt: Attempt<B> = {
      id: this.#world.newId(),
      build,
      epoch: 0,
      offered: false,
      answered: false,
      cancel: () => {},
    };
    if (this.#closed || turn !== this.#turn) {
      build.peer.close();
      return;
    }
    this.#next = attempt;
    build.peer.onconnectionstatechange = () => this.#changed(attempt);
    const offer = await build.peer.createOffer();
    if (this.#next !== attempt) return;
    await build.peer.setLocalDescription(offer);
    if (this.#next !== attempt) return;
    attempt.offered = this.#world.send({
      type: "offer",
      id: attempt.id,
      connection: this.#connection,
      sdp: offer.sdp ?? "",
      origins: build.origins(),
    });
    if (attempt.offered) attempt.cancel = this.#world.after(ANSWER_MS, () => this.#fail(attempt));
  }

  async #agree(attempt: Attempt<B>, sdp: string): Promise<void> {
    try {
      await attempt.build.peer.setRemoteDescription({ type: "answer", sdp });
      if (this.#next === attempt || this.#live?.build === attempt.build) await attempt.build.agreed();
    } catch (error) {
      if (this.#next !== attempt) return;
      console.error(`the answer for ${this.#connection} was not understood`, error);
      this.#fail(attempt);
    }
  }

  #changed(attempt: Attempt<B>): void {
    const { connectionState } = attempt.build.peer;
    if (this.#next === attempt && connectionState === "connected") void this.#promote(attempt);
    else if (this.#next === attempt && connectionState === "failed") this.#fail(attempt);
    else if (this.#live?.build === attempt.build && connectionState === "failed") {
      this.#listener.broken();
      if (this.#next === null) this.rebuild();
    }
  }

  async #promote(attempt: Attempt<B>): Promise<void> {
    attempt.cancel();
    this.#failures = 0;
    if (this.#live !== null) await attempt.build.flowing();
    if (this.#next !== attempt) return;
    const old = this.#live;
    this.#next = null;
    this.#live = { build: attempt.build, epoch: attempt.epoch };
    this.#listener.promoted(attempt.build, attempt.epoch);
    if (old === null) return;
    if (this.#linger_ms > 0 && old.epoch < attempt.epoch) this.#linger(old.build.peer);
    else old.build.peer.close();
  }

  #linger(peer: P): void {
    this.#lingering.add(peer);
    this.#world.after(this.#linger_ms, () => {
      this.#lingering.delete(peer);
      peer.close();
    });
  }

  #fail(attempt: Attempt<B>): void {
    if (this.#next !== attempt) return;
    this.#forgetNext();
    this.#unpause();
    this.#pause = this.#world.after(backoffMs(this.#failures, this.#world.random()), () => this.rebuild());
    this.#failures += 1;
  }

  #unpause(): void {
    this.#pause?.();
    this.#pause = null;
  }

  #forgetNext(): void {
    const attempt = this.#next;
    this.#next = null;
    attempt?.cancel();
    attempt?.build.peer.close();
  }
}
