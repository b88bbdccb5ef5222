import { describe, expect, test } from "vitest";
import {
  arranged,
  GAP_PX,
  grid,
  NO_ORDER,
  type Order,
  scene,
  staged,
  stripWidth,
  tiling,
  views,
} from "../src/meeting/layout";
import { handOrder, listed } from "../src/meeting/people";
import { shortcut } from "../src/meeting/useShortcuts";
import type { Person, Slot } from "../src/protocol/generated/meeting";
import { backoffMs } from "../src/rtc/backoff";
import { codecFromQuery, received, sent } from "../src/rtc/codecs";
import { cameraEncodings, simulcastFromQuery, tuned } from "../src/rtc/layers";
import { loudness } from "../src/rtc/level";
import { deviceProblem } from "../src/rtc/problems";
import { counters, qualities } from "../src/rtc/quality";
import { EXPLAINED, explained, isFinalClose, isPassing } from "../src/rtc/refusals";
import { seatCount, seats, tileCount } from "../src/rtc/slots";
import { PacketWatch } from "../src/rtc/watch";
import { en } from "../src/words/en";
import { zh } from "../src/words/zh";

describe("the grid", () => {
  test.each([
    [1, 1600, 900, 1, 1],
    [2, 1600, 900, 2, 1],
    [2, 1416, 812, 2, 1],
    [4, 1600, 900, 2, 2],
    [5, 1600, 900, 3, 2],
    [12, 1600, 900, 4, 3],
    [2, 390, 700, 1, 2],
    [6, 374, 700, 2, 3],
  ])("%i tiles in %i × %i are %i columns of %i rows", (count, width, height, columns, rows) => {
    expect(grid(count, width, height)).toMatchObject({ columns, rows });
  });

  test("never overflows, and no other number of columns gives much larger tiles", () => {
    for (let count = 1; count <= 30; count += 1) {
      for (const [width, height] of [
        [1440, 760],
        [390, 640],
        [1024, 700],
        [300, 300],
      ] as const) {
        const best = grid(count, width, height);
        expect(best.columns * best.rows).toBeGreaterThanOrEqual(count);
        expect(best.columns * best.width_px + GAP_PX * (best.columns - 1)).toBeLessThanOrEqual(width);
        expect(best.rows * best.height_px + GAP_PX * (best.rows - 1)).toBeLessThanOrEqual(height);
        for (let columns = 1; columns <= count; columns += 1) {
          const rows = Math.ceil(count / columns);
          const other = Math.min(
            (width - GAP_PX * (columns - 1)) / columns,
            ((height - GAP_PX * (rows - 1)) / rows) * (16 / 9),
          );
          expect(Math.floor(other)).toBeLessThanOrEqual(best.width_px * 1.08);
        }
      }
    }
  });

  test("a phone held upright shows squares where they are much larger", () => {
    expect(tiling(6, 374, 730)).toMatchObject({ columns: 2, rows: 3, width_px: 183, height_px: 183 });
    expect(tiling(3, 374, 730)).toMatchObject({ columns: 1, rows: 3, width_px: 374, height_px: 210 });
    expect(tiling(6, 1416, 812)).toEqual(grid(6, 1416, 812));
  });

  test("a window without size has no tiles of negative size", () => {
    expect(grid(3, 0, 0)).toMatchObject({ width_px: 0, height_px: 0 });
  });
});

describe("who is shown", () => {
  const people = ["a", "b", "c", "d", "e"];

  const start: Order = { ids: people, spoken: [] };

  test("everybody, in the order of arrival; who leaves is gone, who comes is last", () => {
    const order = arranged(NO_ORDER, people, 9, "a", []);
    expect(order.ids).toEqual(people);
    expect(arranged(order, ["a", "c", "d", "e", "f"], 9, "a", []).ids).toEqual(["a", "c", "d", "e", "f"]);
  });

  test("nothing new is the same order, so that nothing is drawn again", () => {
    expect(arranged(start, people, 3, "a", [])).toBe(start);
    const order = arranged(start, people, 3, "a", ["e"]);
    expect(arranged(order, people, 3, "a", ["e"])).toBe(order);
  });

  test("a hidden speaker changes places with the last quiet one, and stays", () => {
    const order = arranged(start, people, 3, "a", ["e"]);
    expect(order.ids).toEqual(["a", "b", "e", "d", "c"]);
    expect(arranged(order, people, 3, "a", [])).toBe(order);
  });

  test("two who answer each other do not push each other out", () => {
    let order = arranged(start, people, 3, "a", ["e"]);
    for (const speaker of ["d", "e", "d"]) order = arranged(order, people, 3, "a", [speaker]);
    expect(order.ids).toEqual(["a", "d", "e", "b", "c"]);
  });

  test("oneself is always on the first page", () => {
    expect(arranged(NO_ORDER, people, 3, "e", []).ids).toEqual(["a", "b", "e", "d", "c"]);
  });

  test("a grid has pages, and a page that is no more is the last one", () => {
    const keys = (page: number) => scene(people, [], null, null, 2, page).tiles.map(({ key }) => key);
    expect([keys(0), keys(2), keys(7)]).toEqual([["a", "b"], ["e"], ["e"]]);
    expect(scene(people, [], null, null, 2, 7)).toMatchObject({ large: null, page: 2, pages: 3 });
  });

  test("a shared screen is large and people are a strip, several screens first", () => {
    const shared = scene(people, ["b", "c"], null, null, 4, 0);
    expect(shared.large?.key).toBe("b/screen");
    expect(shared.tiles.map(({ key }) => key)).toEqual(["c/screen", "a", "b"]);
    expect(shared.pages).toBe(2);
  });

  test("a pin outranks a screen and the speaker until it is gone", () => {
    expect(scene(people, ["b"], "d", "c", 9, 0).large?.key).toBe("d");
    expect(scene(people, ["b"], "gone", "c", 9, 0).large?.key).toBe("b/screen");
    expect(scene(people, [], "gone", "c", 9, 0).large?.key).toBe("c");
    expect(scene(people, [], "gone", null, 9, 0).large).toBeNull();
  });

  test("the page asks for what it shows, large first, in pixels of the screen, and not for itself", () => {
    const asked = views(scene(["a", "b", "c"], ["b"], null, null, 9, 0), "a", 600, 100, 2);
    expect(asked).toEqual([
      { participantId: "b", origin: "screen", heightPx: 1200 },
      { participantId: "b", origin: "camera", heightPx: 167 },
      { participantId: "c", origin: "camera", heightPx: 167 },
    ]);
    expect(views(scene(["a"], [], null, null, 9, 0), "a", 0, 600, 1)).toEqual([]);
  });

  test("the only other picture is asked for whole", () => {
    expect(views(scene(["a", "b"], [], null, null, 9, 0), "a", 0, 351, 1)).toEqual([
      { participantId: "b", origin: "camera", heightPx: 720 },
    ]);
  });

  test("a strip is narrower on a phone", () => {
    expect([stripWidth(374), stripWidth(1000), stripWidth(2000)]).toEqual([112, 130, 184]);
  });

  test("the stage follows the loudest other and stays with the last one in silence", () => {
    expect(staged(people, "a", ["a", "c"], null)).toBe("c");
    expect(staged(people, "a", [], "c")).toBe("c");
    expect(staged(people, "a", [], "gone")).toBe("b");
    expect(staged(["a"], "a", [], null)).toBe("a");
  });
});

describe("slots", () => {
  const slot = (mid: string, kind: Slot["kind"], participantId: string, origin: Slot["origin"]): Slot => ({
    mid,
    kind,
    participantId,
    origin,
  });

  test("become one seat for each person and one for their screen", () => {
    const found = seats([
      slot("0", "audio", "a", "microphone"),
      slot("1", "video", "a", "camera"),
      slot("2", "audio", "b", "microphone"),
      slot("5", "video", "b", "screen"),
      slot("6", "audio", "b", "screen-sound"),
    ]);
    expect(found.get("a")).toEqual({ audioMid: "0", videoMid: "1" });
    expect(found.get("b")).toEqual({ audioMid: "2", videoMid: null });
    expect(found.get("b/screen")).toEqual({ audioMid: "6", videoMid: "5" });
  });

  test("a slot that is given to another leaves the first", () => {
    const found = seats([slot("1", "video", "a", "camera"), slot("1", "video", "b", "camera")]);
    expect(found.has("a")).toBe(false);
    expect(found.get("b")?.videoMid).toBe("1");
  });

  test("a phone shows fewer, and some who are not shown are heard", () => {
    expect([tileCount(390), tileCount(1440)]).toEqual([6, 9]);
    expect([seatCount(390), seatCount(1440)]).toEqual([9, 12]);
  });
});

describe("reconnecting", () => {
  test("silence is worth a rebuild after 1.5 s, only where somebody ought to send", () => {
    const watch = new PacketWatch();
    expect(watch.observe(10, true, 0)).toBe(false);
    expect(watch.observe(20, true, 250)).toBe(false);
    expect(watch.observe(20, true, 1700)).toBe(false);
    expect(watch.observe(20, true, 1750)).toBe(true);
    const quiet = new PacketWatch();
    quiet.observe(10, true, 0);
    expect(quiet.observe(10, false, 10_000)).toBe(false);
    expect(quiet.observe(10, true, 11_000)).toBe(false);
  });

  test("a rebuild that brings nothing makes it more patient; packets make it eager again", () => {
    const watch = new PacketWatch();
    watch.observe(0, true, 0);
    expect(watch.observe(0, true, 1500)).toBe(true);
    watch.rebuilt(1500);
    watch.observe(0, true, 1500);
    expect(watch.observe(0, true, 3100)).toBe(false);
    expect(watch.observe(0, true, 4500)).toBe(true);
    watch.rebuilt(4500);
    watch.observe(0, true, 4500);
    watch.observe(5, true, 4600);
    expect(watch.observe(5, true, 6100)).toBe(true);
  });

  test("pauses grow to three seconds and are not all alike", () => {
    expect([0, 1, 2, 3, 4, 50].map((attempt) => backoffMs(attempt, 1))).toEqual([200, 400, 800, 1600, 3000, 3000]);
    expect(backoffMs(0, 0)).toBe(100);
  });
});

describe("codecs", () => {
  const offered = [
    { mimeType: "video/VP8" },
    { mimeType: "video/rtx" },
    { mimeType: "video/H264", sdpFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f" },
    { mimeType: "video/H264", sdpFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f" },
    { mimeType: "video/H264", sdpFmtpLine: "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f" },
    { mimeType: "video/VP9", sdpFmtpLine: "profile-id=0" },
    { mimeType: "video/VP9", sdpFmtpLine: "profile-id=2" },
    { mimeType: "video/AV1", sdpFmtpLine: "level-idx=5;profile=0;tier=0" },
    { mimeType: "video/AV1", sdpFmtpLine: "level-idx=5;profile=1;tier=0" },
  ];
  const names = (codecs: readonly { mimeType: string }[]) => codecs.map((codec) => codec.mimeType.slice(6));

  test("VP8 is sent, another where it is asked for, and what everybody reads behind it", () => {
    expect(sent(offered, "video", "VP8")).toEqual([offered[0], offered[3], offered[1]]);
    expect(sent(offered, "video", "H264")).toEqual([offered[3], offered[0], offered[1]]);
    expect(sent(offered, "video", "AV1")).toEqual([offered[7], offered[0], offered[3], offered[1]]);
    expect(sent([{ mimeType: "audio/opus" }, { mimeType: "audio/red" }], "audio", "VP8")).toHaveLength(1);
  });

  test("all four are received, each in the variant that every browser has", () => {
    expect(names(received(offered, "video"))).toEqual(["VP8", "H264", "VP9", "AV1", "rtx"]);
  });

  test("the address says which", () => {
    const found = ["?codec=h264", "?codec=vp9", "?codec=x", ""].map(codecFromQuery);
    expect(found).toEqual(["H264", "VP9", "VP8", "VP8"]);
  });
});

describe("layers", () => {
  const layers = cameraEncodings("VP8", true);
  const active = (full: number, watched: number | null) =>
    tuned(layers, full, watched)
      .filter((layer) => layer.active)
      .map((layer) => layer.rid)
      .join("");

  test("VP8 and H264 are offered in three sizes, others and the unlayered in one", () => {
    expect(layers.map((layer) => layer.rid)).toEqual(["q", "h", "f"]);
    expect(cameraEncodings("H264", true)).toHaveLength(3);
    expect(cameraEncodings("VP8", false)).toEqual([{ maxBitrate: 2_500_000 }]);
    expect([simulcastFromQuery(""), simulcastFromQuery("?simulcast=off")]).toEqual([true, false]);
  });

  test.each([
    [720, null, "qhf"],
    [720, 0, ""],
    [720, 90, "q"],
    [720, 180, "q"],
    [720, 181, "qh"],
    [720, 360, "qh"],
    [720, 361, "qhf"],
    [720, 2160, "qhf"],
    [480, 240, "qh"],
  ])("of a camera %i tall that is looked at %s tall, %s is sent", (full, watched, rids) => {
    expect(active(full, watched)).toBe(rids);
  });

  test("where the answer took no layers, the one that is left is the whole picture", () => {
    const left = layers.slice(0, 1);
    expect(tuned(left, 720, null)).toMatchObject([{ scaleResolutionDownBy: 1, maxBitrate: 2_500_000, active: true }]);
    expect(tuned(left, 720, 90)).toMatchObject([{ active: true }]);
    expect(tuned(left, 720, 0)).toMatchObject([{ active: false }]);
  });
});

describe("hands", () => {
  const person = (id: string, handRaisedAt: number | null): Person => ({
    id,
    name: id,
    role: "guest",
    muted: false,
    cameraOn: true,
    joinedAt: 0,
    handRaisedAt,
  });
  const people = [person("a", null), person("b", 30), person("c", 10), person("d", null), person("e", 0)];

  test("are numbered in the order in which they went up, even at time 0", () => {
    expect([...handOrder(people)]).toEqual([
      ["e", 1],
      ["c", 2],
      ["b", 3],
    ]);
  });

  test("come first in the list, nobody else moves", () => {
    expect(listed(people).map(({ id }) => id)).toEqual(["e", "c", "b", "a", "d"]);
  });
});

describe("devices", () => {
  test.each([
    ["NotAllowedError", "Permission denied", "browser"],
    ["NotAllowedError", "Permission denied by system", "system"],
    ["NotFoundError", "Requested device not found", "missing"],
    ["NotReadableError", "Could not start video source", "in-use"],
    ["AbortError", "", "in-use"],
    ["SecurityError", "", "browser"],
  ])("%s (%s) is explained as %s", (name, message, problem) => {
    expect(deviceProblem({ name, message })).toBe(problem);
  });

  test("silence is 0, a loud voice is 1", () => {
    expect(loudness(new Float32Array(100))).toBe(0);
    expect(loudness(new Float32Array(100).fill(0.5))).toBe(1);
    expect(loudness(new Float32Array(100).fill(0.02))).toBeGreaterThan(0.3);
  });
});

describe("quality", () => {
  test("rates and loss are those between two readings, summed for each person", () => {
    const report = (bytes: number, packets: number, lost: number) =>
      counters([
        {
          type: "inbound-rtp",
          mid: "0",
          kind: "audio",
          bytesReceived: bytes,
          packetsReceived: packets,
          packetsLost: 0,
        },
        {
          type: "inbound-rtp",
          mid: "1",
          kind: "video",
          bytesReceived: bytes,
          packetsReceived: packets,
          packetsLost: lost,
          frameWidth: 1280,
          frameHeight: 720,
          framesPerSecond: 30,
          codecId: "C1",
        },
        { type: "codec", id: "C1", mimeType: "video/VP8" },
        { type: "transport", bytesReceived: 1 },
      ]);
    const slots = [
      { mid: "0", kind: "audio", participantId: "a", origin: "microphone" },
      { mid: "1", kind: "video", participantId: "a", origin: "camera" },
    ] as const;
    const found = qualities(report(1000, 10, 0), report(126_000, 90, 40), 1000, slots);
    expect(found.get("a")).toEqual({
      bps: 2_000_000,
      lossPercent: 20,
      width_px: 1280,
      height_px: 720,
      fps: 30,
      codec: "VP8",
    });
  });
});

describe("shortcuts", () => {
  const press = (key: string, target: object = {}, more: object = {}) =>
    shortcut({ key, ctrlKey: false, metaKey: false, altKey: false, repeat: false, target, ...more });

  test("keys act in either case, and never while typing or with a modifier", () => {
    expect([
      press("m"),
      press("M"),
      press("s"),
      press("H"),
      press("ArrowRight"),
      press("?"),
      press(" "),
      press("x"),
    ]).toEqual(["microphone", "microphone", "share", "hand", "nextPage", "help", "talk", null]);
    expect(press("m", { tagName: "TEXTAREA" })).toBeNull();
    expect(press("m", { isContentEditable: true })).toBeNull();
    expect(press("c", {}, { ctrlKey: true })).toBeNull();
    expect(press("m", {}, { repeat: true })).toBeNull();
    expect(press(" ", { tagName: "BUTTON" })).toBeNull();
  });
});

describe("words", () => {
  const keys = (value: object, path = ""): string[] =>
    Object.entries(value).flatMap(([key, inner]) =>
      typeof inner === "string" ? [`${path}${key}`] : keys(inner as object, `${path}${key}/`),
    );

  test("both languages say the same things", () => {
    expect(keys(zh)).toEqual(keys(en));
  });

  test("every refusal that the page knows is explained in both", () => {
    for (const code of EXPLAINED) {
      expect(en.refusal[code], code).toMatch(/\.$/);
      expect(zh.refusal[code], code).toMatch(/。$/);
    }
    expect(Object.keys(en.refusal).sort()).toEqual([...EXPLAINED].sort());
  });

  test("placeholders are the same in both", () => {
    const flat = (value: object): string[] =>
      Object.values(value).flatMap((inner) => (typeof inner === "string" ? [inner] : flat(inner as object)));
    const names = (text: string) => (text.match(/\{\{\w+\}\}/g) ?? []).sort();
    const [english, chinese] = [flat(en), flat(zh)];
    english.forEach((text, index) => {
      expect(names(chinese[index] ?? ""), text).toEqual(names(text));
    });
  });

  test("codes of one family share an explanation, unknown ones have none", () => {
    expect(explained("sdp.no-fingerprint")).toBe("sdp.malformed");
    expect(explained("relay.lost")).toBe("relay.unavailable");
    expect(explained("logins.too-many")).toBe("requests.too-many");
    expect(explained("weather.bad")).toBeNull();
  });

  test("only what passes by itself is tried again", () => {
    expect([isPassing("relay.unavailable"), isPassing("meeting.full"), isPassing("ticket.expired")]).toEqual([
      true,
      false,
      false,
    ]);
    expect([4401, 4404, 4429, 1006].map(isFinalClose)).toEqual([true, true, false, false]);
  });
});
