import { beforeEach, describe, expect, test } from "vitest";
import type { Line, ToBrowser } from "../src/protocol/generated/meeting";
import { OPENING_MS, SILENCE_MS, Signaling, type Socket, type World } from "../src/rtc/signaling";

class Wire implements Socket {
  sent: Record<string, unknown>[] = [];
  closed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.closed = true;
  }

  say(message: ToBrowser): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  types(): unknown[] {
    return this.sent.map((message) => message.type);
  }
}

class Clock implements World {
  wires: Wire[] = [];
  time = 0;
  #due: { at: number; act: () => void }[] = [];

  open(): Wire {
    const wire = new Wire();
    this.wires.push(wire);
    return wire;
  }

  now(): number {
    return this.time;
  }

  random(): number {
    return 1;
  }

  after(ms: number, act: () => void): () => void {
    const entry = { at: this.time + ms, act };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter((other) => other !== entry);
    };
  }

  pass(ms: number): void {
    const until = this.time + ms;
    for (;;) {
      const next = this.#due.filter((entry) => entry.at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#due = this.#due.filter((entry) => entry !== next);
      this.time = next.at;
      next.act();
    }
    this.time = until;
  }

  get wire(): Wire {
    return this.wires.at(-1) as Wire;
  }
}

const ended = (sequence: number): Line => ({ type: "ended", sequence, at: 0, by: "h" });
const welcomed = (sequence: number | null): ToBrowser => ({
  type: "welcomed",
  participantId: "me",
  role: "guest",
  meetingId: "m",
  roomSlug: "r",
  roomTitle: "R",
  epoch: 1,
  version: 1,
  state:
    sequence === null
      ? null
      : { sequence, epoch: 1, over: false, people: [], chat: [], locked: false, spotlight: null },
});

let clock: Clock;
let heard: (string | number)[];
let signaling: Signaling;

beforeEach(() => {
  clock = new Clock();
  heard = [];
  signaling = new Signaling("t", clock, {
    welcomed: () => heard.push("welcomed"),
    line: (line) => heard.push(line.sequence),
    news: (message) => heard.push(message.type),
    lost: () => heard.push("lost"),
    refused: (refusal) => heard.push(`refused ${refusal.code}`),
  });
  signaling.start();
  clock.wire.onopen?.();
});

describe("the journal", () => {
  test("a first join has seen nothing and takes the state's sequence", () => {
    expect(clock.wire.sent).toEqual([{ type: "join", ticket: "t", version: 1, seen: null }]);
    clock.wire.say(welcomed(7));
    clock.wire.say(ended(8));
    expect(heard).toEqual(["welcomed", 8]);
  });

  test("a line that comes twice is told once", () => {
    clock.wire.say(welcomed(0));
    clock.wire.say(ended(1));
    clock.wire.say(ended(1));
    expect(heard).toEqual(["welcomed", 1]);
  });

  test("a gap asks to resume once, and the later line counts only when it comes again", () => {
    clock.wire.say(welcomed(0));
    clock.wire.say(ended(2));
    clock.wire.say(ended(3));
    expect(clock.wire.sent.slice(1)).toEqual([{ type: "resume", seen: 0 }]);
    for (const sequence of [1, 2, 3]) clock.wire.say(ended(sequence));
    expect(heard).toEqual(["welcomed", 1, 2, 3]);
  });

  test("a head that is ahead asks to resume", () => {
    clock.wire.say(welcomed(4));
    clock.wire.say({ type: "headed", sequence: 4 });
    expect(clock.wire.types()).toEqual(["join"]);
    clock.wire.say({ type: "headed", sequence: 5 });
    expect(clock.wire.sent.at(-1)).toEqual({ type: "resume", seen: 4 });
  });
});

describe("the waiting room", () => {
  const asked: ToBrowser = { type: "asked-to-wait", participantId: "me", roomSlug: "r", roomTitle: "R" };

  test("who waits is heard and told nothing, stays connected by the beat, and may go", () => {
    clock.wire.say(asked);
    expect(signaling.connected).toBe(false);
    expect(signaling.send({ type: "resume", seen: 0 })).toBe(false);
    for (let beat = 0; beat < 6; beat += 1) {
      clock.pass(2000);
      clock.wire.say({ type: "headed", sequence: 0 });
    }
    expect(clock.wires).toHaveLength(1);
    expect(heard).toEqual(["asked-to-wait"]);
    signaling.close({ type: "leave" });
    expect(clock.wire.types()).toEqual(["join", "leave"]);
  });

  test("who is sent outside forgets what was not answered, and comes in again with the whole state", () => {
    clock.wire.say(welcomed(3));
    signaling.request({ type: "say", id: "1", text: "late" });
    clock.wire.say(asked);
    clock.wire.say(welcomed(9));
    clock.wire.say(ended(10));
    expect(clock.wire.types()).toEqual(["join", "say"]);
    expect(heard).toEqual(["welcomed", "asked-to-wait", "welcomed", 10]);
  });
});

describe("the socket", () => {
  test("one that closes comes back by itself with what was seen", () => {
    clock.wire.say(welcomed(0));
    clock.wire.say(ended(1));
    clock.wire.onclose?.({ code: 1006, reason: "" });
    expect(clock.wires).toHaveLength(1);
    clock.pass(200);
    expect(clock.wires).toHaveLength(2);
    clock.wire.onopen?.();
    expect(clock.wire.sent[0]).toMatchObject({ type: "join", seen: 1 });
    expect(heard).toContain("lost");
  });

  test("attempts are spaced out up to three seconds", () => {
    for (const pause of [200, 400, 800, 1600, 3000, 3000]) {
      const count = clock.wires.length;
      clock.wire.onclose?.({ code: 1006, reason: "" });
      clock.pass(pause - 1);
      expect(clock.wires).toHaveLength(count);
      clock.pass(1);
      expect(clock.wires).toHaveLength(count + 1);
    }
  });

  test("six silent seconds are a dead socket", () => {
    clock.wire.say(welcomed(0));
    const first = clock.wire;
    clock.pass(SILENCE_MS - 1000);
    expect(first.closed).toBe(false);
    clock.pass(1000);
    expect(first.closed).toBe(true);
    clock.pass(200);
    expect(clock.wires).toHaveLength(2);
  });

  test("one that does not open in three seconds is given up", () => {
    clock.wire.onclose?.({ code: 1006, reason: "" });
    clock.pass(200 + OPENING_MS + 1000 + 400);
    expect(clock.wires).toHaveLength(3);
  });

  test("heads keep it alive", () => {
    clock.wire.say(welcomed(0));
    for (let i = 0; i < 10; i += 1) {
      clock.pass(2000);
      clock.wire.say({ type: "headed", sequence: 0 });
    }
    expect(clock.wires).toHaveLength(1);
  });

  test("what an old socket still says is not heard", () => {
    const old = clock.wire;
    old.say(welcomed(0));
    old.onclose?.({ code: 1006, reason: "" });
    clock.pass(200);
    old.say(ended(1));
    expect(heard).not.toContain(1);
  });
});

describe("refusals", () => {
  test("a refused ticket is final and reaches the page by its code", () => {
    clock.wire.say({ type: "refused", code: "ticket.expired", detail: "too late" });
    clock.wire.onclose?.({ code: 4401, reason: "" });
    clock.pass(10_000);
    expect(clock.wires).toHaveLength(1);
    expect(heard.at(-1)).toBe("refused ticket.expired");
  });

  test("a final close without a frame is told by its reason", () => {
    clock.wire.say(welcomed(0));
    clock.wire.onclose?.({ code: 4409, reason: "session.replaced" });
    expect(heard.at(-1)).toBe("refused session.replaced");
  });

  test.each([4429, 4503, 1011, 1012])("close code %i is tried again", (code) => {
    clock.wire.onclose?.({ code, reason: "" });
    clock.pass(200);
    expect(clock.wires).toHaveLength(2);
  });

  test("a refusal in the middle of the meeting does not make a later loss final", () => {
    clock.wire.say(welcomed(0));
    clock.wire.say({ type: "refused", code: "meeting.host-only", detail: "no" });
    clock.wire.say({ type: "headed", sequence: 0 });
    clock.wire.onclose?.({ code: 1006, reason: "" });
    clock.pass(200);
    expect(clock.wires).toHaveLength(2);
  });
});

describe("requests", () => {
  test("are said again on a new socket until they are answered", () => {
    clock.wire.say(welcomed(0));
    signaling.request({ type: "say", id: "a", text: "one" });
    signaling.request({ type: "say", id: "b", text: "two" });
    clock.wire.say({ type: "said", sequence: 1, at: 0, id: "a", participantId: "me", name: "Me", text: "one" });
    clock.wire.onclose?.({ code: 1006, reason: "" });
    signaling.request({ type: "say", id: "c", text: "three" });
    clock.pass(200);
    clock.wire.onopen?.();
    clock.wire.say(welcomed(null));
    expect(clock.wire.sent.filter((message) => message.type === "say").map((message) => message.id)).toEqual([
      "b",
      "c",
    ]);
    clock.wire.say({ type: "done", id: "b", outcome: "applied" });
    clock.wire.say({ type: "refused", id: "c", code: "messages.too-many", detail: "" });
    expect(signaling.pending()).toEqual([]);
  });

  test("nothing is sent before one is in", () => {
    expect(signaling.send({ type: "leave" })).toBe(false);
    expect(clock.wire.types()).toEqual(["join"]);
  });

  test("after a goodbye nothing reconnects", () => {
    clock.wire.say(welcomed(0));
    signaling.close({ type: "leave" });
    expect(clock.wire.types()).toEqual(["join", "leave"]);
    clock.pass(60_000);
    expect(clock.wires).toHaveLength(1);
  });
});

describe("a server that hands over", () => {
  const twoWires = (): [Wire, Wire] => {
    clock.wire.say(welcomed(7));
    clock.wire.say({ type: "handed-over", withinMs: 2000 });
    return [clock.wires[0] as Wire, clock.wire];
  };

  test("is left once the next one has welcomed us; nothing is lost in between", () => {
    const [old, next] = twoWires();
    expect(next).not.toBe(old);
    next.onopen?.();
    expect(next.sent).toEqual([{ type: "join", ticket: "t", version: 1, seen: 7 }]);
    old.say(ended(8));
    expect(old.closed).toBe(false);
    next.say(welcomed(null));
    expect(old.closed).toBe(true);
    next.say(ended(8));
    next.say(ended(9));
    expect(heard.filter((entry) => entry !== "handed-over")).toEqual(["welcomed", 8, "welcomed", 9]);
    expect(signaling.connected).toBe(true);
  });

  test("that refuses us on the old socket because of the new one ends nothing", () => {
    const [old, next] = twoWires();
    next.onopen?.();
    old.say({ type: "refused", code: "session.replaced", detail: "", id: null });
    old.onclose?.({ code: 4409, reason: "session.replaced" });
    next.say(welcomed(null));
    expect(heard).not.toContain("refused session.replaced");
    expect(signaling.connected).toBe(true);
  });

  test("and whose successor does not come is left when it ends, as ever", () => {
    const [old, next] = twoWires();
    next.onclose?.({ code: 1006, reason: "" });
    expect(signaling.connected).toBe(true);
    old.onclose?.({ code: 1001, reason: "" });
    clock.pass(1000);
    expect(clock.wires).toHaveLength(3);
  });

  test("opens one successor, however often it says so", () => {
    const [old] = twoWires();
    old.say({ type: "handed-over", withinMs: 1000 });
    expect(clock.wires).toHaveLength(2);
  });
});
