/** Which lines of the journal were seen: a line may come twice, never not at all. */
export type Verdict = "next" | "duplicate" | "gap";

export class Sequence {
  seen: number;

  constructor(seen = 0) {
    this.seen = seen;
  }

  /** `next` counts as seen from now on. Past a gap nothing is taken: the missing lines bring the later ones again. */
  receive(sequence: number): Verdict {
    if (sequence <= this.seen) return "duplicate";
    if (sequence > this.seen + 1) return "gap";
    this.seen = sequence;
    return "next";
  }

  /** Whether the journal's head says that a line was missed. */
  behind(head: number): boolean {
    return head > this.seen;
  }
}
