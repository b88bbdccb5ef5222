/**
 * Says to the server which pictures the page shows (Watch), once a layout has come to rest.
 *
 * The list is said again after each new receiving connection and each new socket: a relay begins without it.
 */
import type { View, Watch } from "../protocol/generated/meeting";

/** A panel that slides in, or a window that is dragged, is one change. */
export const REST_MS = 150;
const MOST_VIEWS = 64;

export interface ViewingWorld {
  after(ms: number, act: () => void): () => void;
  /** False when there is no socket. */
  send(watch: Watch): boolean;
}

export class Viewing {
  #views: readonly View[] | null = null;
  #said = "";
  #cancel: (() => void) | null = null;
  readonly #world: ViewingWorld;

  constructor(world: ViewingWorld) {
    this.#world = world;
  }

  /** What the page shows from now on, most important first. */
  show(views: readonly View[]): void {
    this.#views = views.slice(0, MOST_VIEWS);
    this.#cancel?.();
    this.#cancel = null;
    if (JSON.stringify(this.#views) === this.#said) return;
    this.#cancel = this.#world.after(REST_MS, () => this.again());
  }

  /** Say it now: whoever ought to know it is new. */
  again(): void {
    this.#cancel?.();
    this.#cancel = null;
    if (this.#views === null) return;
    this.#said = this.#world.send({ type: "watch", views: this.#views }) ? JSON.stringify(this.#views) : "";
  }

  close(): void {
    this.#cancel?.();
    this.#views = null;
  }
}
