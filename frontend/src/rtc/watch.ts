/**
 * When to build a connection anew: packets decide, never ICE (Chromium notices a dead peer 7 s late).
 *
 * After a rebuild that brought nothing the patience doubles, so that a sender who is silent for reasons of his own
 * does not make everybody reconnect for ever.
 */
export const PATIENCE_MS = 1500;
const LONGEST_MS = 24_000;

export class PacketWatch {
  #packets = -1;
  #movedAt: number | null = null;
  #patience_ms: number;
  readonly #first_ms: number;

  constructor(first_ms = PATIENCE_MS) {
    this.#first_ms = first_ms;
    this.#patience_ms = first_ms;
  }

  /** Tell the count of packets so far; true when it is time to rebuild. `expected`: somebody ought to be sending. */
  observe(packets: number, expected: boolean, now_ms: number): boolean {
    if (packets !== this.#packets) {
      if (this.#packets >= 0 && packets > this.#packets) this.#patience_ms = this.#first_ms;
      this.#packets = packets;
      this.#movedAt = now_ms;
      return false;
    }
    if (!expected || this.#movedAt === null) {
      this.#movedAt = now_ms;
      return false;
    }
    if (now_ms - this.#movedAt < this.#patience_ms) return false;
    this.#patience_ms = Math.min(this.#patience_ms * 2, LONGEST_MS);
    this.#movedAt = now_ms;
    return true;
  }

  /** A new connection counts from zero. */
  rebuilt(now_ms: number): void {
    this.#packets = -1;
    this.#movedAt = now_ms;
  }
}
