import { beforeEach, describe, expect, test } from "vitest";
import type { Offer } from "../src/protocol/generated/meeting";
import { type Build, Leg, type Peer } from "../src/rtc/leg";

class FakePeer implements Peer {
  connectionState = "new";
  onconnectionstatechange: ((event: Event) => unknown) | null = null;
  remote: string | null = null;
  closed = false;

  async createOffer(): Promise<RTCSessionDescriptionInit> {
    return { type: "offer", sdp: "v=0" };
  }

  async setLocalDescription(): Promise<void> {}

  async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
    if (description.sdp === "bad") throw new Error("bad");
    this.remote = description.sdp ?? "";
  }

  close(): void {
    this.closed = true;
  }

  become(state: string): void {
    this.connectionState = state;
    this.onconnectionstatechange?.(new Event("connectionstatechange"));
  }
}

const settle = async () => {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
};

let peers: FakePeer[];
let offers: Offer[];
let timers: { ms: number; act: () => void }[];
let linked: boolean;
let promoted: number[];
let leg: Leg<FakePeer, Build<FakePeer>>;

const last = () => peers.at(-1) as FakePeer;
const answer = (index: number, epoch = 1, sdp = "v=0 answer") =>
  leg.answered({ type: "answered", id: offers[index]?.id ?? "", epoch, sdp });
const fire = (ms: number) => {
  const due = timers.filter((timer) => timer.ms === ms);
  timers = timers.filter((timer) => timer.ms !== ms);
  for (const timer of due) timer.act();
};

const make = (linger_ms = 0): void => {
  peers = [];
  offers = [];
  timers = [];
  promoted = [];
  linked = true;
  let ids = 0;
  leg = new Leg<FakePeer, Build<FakePeer>>(
    "send",
    () => {
      const peer = new FakePeer();
      peers.push(peer);
      return { peer, origins: () => ({ "0": "microphone" }), agreed: async () => {}, flowing: async () => {} };
    },
    {
      newId: () => `o${ids++}`,
      random: () => 1,
      after: (ms, act) => {
        const timer = { ms, act };
        timers.push(timer);
        return () => {
          timers = timers.filter((other) => other !== timer);
        };
      },
      send: (offer) => {
        if (linked) offers.push(offer);
        return linked;
      },
    },
    { promoted: (_, epoch) => promoted.push(epoch), broken: () => promoted.push(-1) },
    linger_ms,
  );
};

beforeEach(() => make());

async function connect(index: number, epoch = 1): Promise<void> {
  await settle();
  answer(index, epoch);
  last().become("connected");
  await settle();
}

describe("a leg", () => {
  test("offers, is answered, connects and is promoted with its epoch", async () => {
    leg.follow(1);
    await connect(0, 3);
    expect(offers[0]).toMatchObject({ connection: "send", sdp: "v=0", origins: { "0": "microphone" } });
    expect(last().remote).toBe("v=0 answer");
    expect(promoted).toEqual([3]);
    expect(leg.epoch).toBe(3);
  });

  test("lets everything go when it is dropped, and builds anew when it is to follow again", async () => {
    leg.follow(1);
    await connect(0);
    leg.rebuild();
    await settle();
    leg.drop();
    await settle();
    expect(peers.map((peer) => peer.closed)).toEqual([true, true]);
    expect(leg.live).toBe(null);
    leg.follow(1);
    await connect(2);
    expect(promoted).toEqual([1, 1]);
  });

  test("makes before it breaks", async () => {
    leg.follow(1);
    await connect(0);
    const old = last();
    leg.rebuild();
    await settle();
    answer(1, 2);
    expect(old.closed).toBe(false);
    last().become("connected");
    await settle();
    expect(old.closed).toBe(true);
    expect(last().closed).toBe(false);
    expect(promoted).toEqual([1, 2]);
  });

  test("offers again when nobody answers in three seconds", async () => {
    leg.follow(1);
    await settle();
    fire(3000);
    expect(peers[0]?.closed).toBe(true);
    fire(200);
    await settle();
    expect(offers).toHaveLength(2);
  });

  test("offers again when the relay is not there, with pauses that grow", async () => {
    leg.follow(1);
    await settle();
    expect(leg.refused("o0", true)).toBe(true);
    fire(200);
    await settle();
    leg.refused("o1", true);
    fire(400);
    await settle();
    expect(offers).toHaveLength(3);
  });

  test("does not repeat an offer that is refused for what it says", async () => {
    leg.follow(1);
    await settle();
    leg.refused("o0", false);
    expect(timers).toEqual([]);
    expect(leg.refused("other", true)).toBe(false);
  });

  test("does not take an answer to an older offer", async () => {
    leg.follow(1);
    await settle();
    leg.rebuild();
    await settle();
    answer(0);
    expect(last().remote).toBeNull();
    answer(1);
    expect(last().remote).toBe("v=0 answer");
  });

  test("waits for a socket, then offers", async () => {
    linked = false;
    leg.rebuild();
    await settle();
    expect(offers).toEqual([]);
    linked = true;
    leg.follow(1);
    await settle();
    expect(offers).toHaveLength(1);
  });

  test("a socket that comes back leaves a live connection alone", async () => {
    leg.follow(1);
    await connect(0);
    leg.follow(1);
    await settle();
    expect(peers).toHaveLength(1);
  });

  test("a failed connection is rebuilt, a closed leg is not", async () => {
    leg.follow(1);
    await connect(0);
    last().become("failed");
    await settle();
    expect(promoted).toEqual([1, -1]);
    expect(offers).toHaveLength(2);
    leg.close();
    expect(peers.every((peer) => peer.closed)).toBe(true);
    leg.rebuild();
    await settle();
    expect(peers).toHaveLength(2);
  });

  test("towards another relay, the old connection may be kept a while", async () => {
    make(1500);
    leg.follow(1);
    await connect(0, 1);
    const [old] = peers;
    leg.follow(2);
    await connect(1, 2);
    expect(promoted).toEqual([1, 2]);
    expect(old?.closed).toBe(false);
    fire(1500);
    expect(old?.closed).toBe(true);
    expect(last().closed).toBe(false);
  });

  test("a connection to the same relay replaces the old one at once", async () => {
    make(1500);
    leg.follow(1);
    await connect(0, 1);
    leg.rebuild();
    await connect(1, 1);
    expect(peers[0]?.closed).toBe(true);
  });

  test("closing it closes what was kept, too", async () => {
    make(1500);
    leg.follow(1);
    await connect(0, 1);
    leg.follow(2);
    await connect(1, 2);
    leg.close();
    expect(peers.every((peer) => peer.closed)).toBe(true);
  });

  test("an offer whose answer may be lost is made again as soon as there is another relay or socket", async () => {
    leg.follow(1);
    await settle();
    leg.follow(2);
    await settle();
    expect(offers).toHaveLength(2);
    expect(peers[0]?.closed).toBe(true);
  });

  test("what the relay has answered is not begun again", async () => {
    leg.follow(2);
    await settle();
    answer(0, 2);
    leg.follow(2);
    await settle();
    expect(offers).toHaveLength(1);
    leg.follow(3);
    await settle();
    expect(offers).toHaveLength(2);
  });
});
