/**
 * The meeting socket: joins, keeps the journal complete, comes back by itself.
 *
 * Theory: one socket at a time; only where the server hands over, the next one is opened beside it and takes its place
 * once it is welcomed. `seen` survives, so that a new one is told only what was missed. A line out of order is not taken;
 * Resume brings it again. Silence for 6 s (the server says its head every 2 s) is a dead socket, whatever
 * the browser thinks of it. Requests that carry an id are said again on each new socket until they are answered; the
 * server takes the same id once.
 */
import type { FromBrowser, Line, Refused, ToBrowser, Welcomed } from "../protocol/generated/meeting";
import { MAX_FRAME_BYTES, VERSION } from "../protocol/generated/meeting";
import { backoffMs } from "./backoff";
import { isFinalClose, isPassing } from "./refusals";
import { Sequence } from "./sequence";

export const SILENCE_MS = 6000;
/** A handshake that takes longer was swallowed by a server that went down in the middle of it. */
export const OPENING_MS = 3000;
const RESUME_AGAIN_MS = 1000;
const LINES: ReadonlySet<string> = new Set<Line["type"]>([
  "started",
  "joined",
  "left",
  "muted",
  "camera-switched",
  "screen-switched",
  "hand-raised",
  "renamed",
  "role-changed",
  "spotlighted",
  "locked",
  "decided",
  "said",
  "moved",
  "ended",
]);

/** What is needed of a WebSocket. */
export interface Socket {
  send(text: string): void;
  close(code?: number): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
}

/** The world around signaling, so that tests own its time. */
export interface World {
  open(): Socket;
  now(): number;
  random(): number;
  /** Returns how to cancel. */
  after(ms: number, act: () => void): () => void;
}

export interface Listener {
  welcomed(message: Welcomed): void;
  line(line: Line): void;
  news(message: Exclude<ToBrowser, Line | Welcomed>): void;
  /** The socket is gone and will be back. */
  lost(): void;
  /** The socket is gone for good. */
  refused(refusal: { code: string; detail: string }): void;
}

export class Signaling {
  readonly sequence = new Sequence();
  #socket: Socket | null = null;
  /** Opened beside the present one, whose server is about to end. */
  #successor: Socket | null = null;
  #opened = false;
  #welcomed = false;
  #attempt = 0;
  #heardAt = 0;
  #resumedAt = Number.NEGATIVE_INFINITY;
  #pending = new Map<string, FromBrowser>();
  #refusal: Refused | null = null;
  #cancel: (() => void)[] = [];
  #closed = false;
  #entered = false;
  readonly #ticket: string;
  readonly #world: World;
  readonly #listener: Listener;

  constructor(ticket: string, world: World, listener: Listener) {
    this.#ticket = ticket;
    this.#world = world;
    this.#listener = listener;
  }

  get connected(): boolean {
    return this.#welcomed;
  }

  start(): void {
    this.#connect();
    this.#watch();
  }

  /** Say once; false when there is nobody to hear it. */
  send(message: FromBrowser): boolean {
    if (!this.#welcomed || this.#socket === null) return false;
    this.#write(message);
    return true;
  }

  /** Say until it is answered, over as many sockets as it takes. */
  request(message: FromBrowser & { readonly id?: string | null }): void {
    if (message.id) this.#pending.set(message.id, message);
    this.send(message);
  }

  /** Requests that nobody answered yet. */
  pending(): readonly FromBrowser[] {
    return [...this.#pending.values()];
  }

  /** Open a new socket now: the network changed, or the old one is known to be dead. */
  reconnect(): void {
    if (this.#closed) return;
    this.#drop();
    this.#listener.lost();
    this.#schedule();
  }

  close(last?: FromBrowser): void {
    // Who waits is not welcomed yet, and may go all the same.
    if (last && this.#opened) this.#write(last);
    this.#closed = true;
    for (const cancel of this.#cancel) cancel();
    this.#cancel = [];
    this.#drop();
  }

  #connect(): void {
    if (this.#closed) return;
    this.#succeed(this.#open());
  }

  /** From now on this is the socket. */
  #succeed(socket: Socket): void {
    this.#socket = socket;
    this.#successor = null;
    this.#heardAt = this.#world.now();
    this.#refusal = null;
    this.#opened = false;
  }

  #open(): Socket {
    const socket = this.#world.open();
    socket.onopen = () => {
      if (this.#socket === socket) {
        this.#opened = true;
        this.#heardAt = this.#world.now();
      }
      const seen = this.#entered ? this.sequence.seen : null;
      socket.send(JSON.stringify({ type: "join", ticket: this.#ticket, version: VERSION, seen }));
    };
    socket.onmessage = (event) => {
      if (this.#successor === socket) this.#takeOver(socket, String(event.data));
      else if (this.#socket === socket) this.#receive(String(event.data));
    };
    socket.onclose = (event) => {
      if (this.#successor === socket) this.#successor = null;
      else if (this.#socket === socket) this.#lose(event.code, event.reason);
    };
    return socket;
  }

  /** The present server is about to end: the next socket is opened now and serves once it is welcomed. */
  #handOver(): void {
    if (this.#successor === null) this.#successor = this.#open();
  }

  #takeOver(socket: Socket, text: string): void {
    if ((JSON.parse(text) as ToBrowser).type === "welcomed") {
      const old = this.#socket;
      this.#succeed(socket);
      old?.close(1000);
      this.#receive(text);
    } else {
      // A refusal before the welcome: the present socket's end, which is near, leads to another try.
      this.#successor = null;
      socket.close(1000);
    }
  }

  #drop(): void {
    const sockets = [this.#socket, this.#successor];
    this.#socket = null;
    this.#successor = null;
    this.#welcomed = false;
    for (const socket of sockets) socket?.close(1000);
  }

  #schedule(): void {
    this.#after(backoffMs(this.#attempt, this.#world.random()), () => this.#connect());
    this.#attempt += 1;
  }

  #lose(code: number, reason: string): void {
    if (this.#successor !== null) {
      // Gone before the next one was welcomed, perhaps because of it (`session.replaced`).
      this.#succeed(this.#successor);
      this.#welcomed = false;
      this.#listener.lost();
      return;
    }
    const refusal = this.#refusal;
    const welcomed = this.#welcomed;
    this.#drop();
    if (isFinalClose(code) || (!welcomed && refusal !== null && !isPassing(refusal.code))) {
      this.close();
      this.#listener.refused(refusal ?? { code: reason || "unknown", detail: reason });
      return;
    }
    this.#listener.lost();
    this.#schedule();
  }

  /** Once a second: has the socket fallen silent? */
  #watch(): void {
    this.#after(1000, () => {
      const patience_ms = this.#opened ? SILENCE_MS : OPENING_MS;
      if (this.#socket !== null && this.#world.now() - this.#heardAt >= patience_ms) this.reconnect();
      this.#watch();
    });
  }

  #after(ms: number, act: () => void): void {
    const cancel = this.#world.after(ms, () => {
      this.#cancel = this.#cancel.filter((other) => other !== cancel);
      act();
    });
    this.#cancel.push(cancel);
  }

  #write(message: FromBrowser): void {
    const text = JSON.stringify(message);
    if (text.length > MAX_FRAME_BYTES) throw new RangeError(`${message.type}: ${text.length} characters do not fit`);
    this.#socket?.send(text);
  }

  #resume(): void {
    const now = this.#world.now();
    if (now - this.#resumedAt < RESUME_AGAIN_MS) return;
    this.#resumedAt = now;
    this.send({ type: "resume", seen: this.sequence.seen });
  }

  #receive(text: string): void {
    const message = JSON.parse(text) as ToBrowser;
    this.#heardAt = this.#world.now();
    this.#opened = true;
    // A refusal explains the end of the socket only as the last thing that was said.
    this.#refusal = null;
    if (LINES.has(message.type)) {
      this.#line(message as Line);
      return;
    }
    switch (message.type) {
      case "welcomed":
        this.#welcome(message);
        return;
      case "asked-to-wait":
        // Inside again only with another welcome, which brings the whole state.
        this.#welcomed = false;
        this.#entered = false;
        this.#attempt = 0;
        this.#pending.clear();
        break;
      case "headed":
        if (!this.#welcomed) return;
        if (this.sequence.behind(message.sequence)) this.#resume();
        break;
      case "done":
        this.#pending.delete(message.id);
        break;
      case "refused":
        if (message.id) this.#pending.delete(message.id);
        this.#refusal = message;
        // That the next socket pushed this one out is no news.
        if (!message.id && this.#successor !== null) return;
        break;
      case "handed-over":
        this.#handOver();
        break;
    }
    this.#listener.news(message as Exclude<ToBrowser, Line | Welcomed>);
  }

  #welcome(message: Welcomed): void {
    this.#welcomed = true;
    this.#entered = true;
    this.#attempt = 0;
    this.#resumedAt = Number.NEGATIVE_INFINITY;
    if (message.state !== null) {
      this.sequence.seen = message.state.sequence;
      for (const said of message.state.chat) this.#pending.delete(said.id);
    }
    this.#listener.welcomed(message);
    for (const request of this.#pending.values()) this.send(request);
  }

  #line(line: Line): void {
    switch (this.sequence.receive(line.sequence)) {
      case "next":
        if (line.type === "said") this.#pending.delete(line.id);
        this.#listener.line(line);
        return;
      case "gap":
        this.#resume();
        return;
      case "duplicate":
        return;
    }
  }
}

/** The real world. */
export function browserWorld(url: string): World {
  return {
    open: () => new WebSocket(url) as unknown as Socket,
    now: () => performance.now(),
    random: () => Math.random(),
    after: (ms, act) => {
      const timer = setTimeout(act, ms);
      return () => clearTimeout(timer);
    },
  };
}
