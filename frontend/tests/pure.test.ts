import { describe, expect, test } from "vitest";
import { GAP_PX, grid, shown, staged } from "../src/meeting/layout";
import { shortcut } from "../src/meeting/useShortcuts";
import type { Slot } from "../src/protocol/generated/meeting";
import { backoffMs } from "../src/rtc/backoff";
import { codecFromQuery, preferred } from "../src/rtc/codecs";
import { loudness } from "../src/rtc/level";
import { deviceProblem } from "../src/rtc/problems";
import { counters, qualities } from "../src/rtc/quality";
import { EXPLAINED, explained, isFinalClose, isPassing } from "../src/rtc/refusals";
import { seatCount, seats } from "../src/rtc/slots";
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

  test("a window without size has no tiles of negative size", () => {
    expect(grid(3, 0, 0)).toMatchObject({ width_px: 0, height_px: 0 });
  });
});

describe("who is shown", () => {
  const people = ["a", "b", "c", "d", "e"];

  test("everybody, in the order of arrival, while there is room", () => {
    expect(shown(people, 9, "a", ["e"])).toEqual(people);
  });

  test("a hidden speaker takes the last quiet place and nobody else moves", () => {
    expect(shown(people, 3, "a", ["e"])).toEqual(["a", "b", "e"]);
    expect(shown(people, 3, "a", ["e", "c"])).toEqual(["a", "e", "c"]);
  });

  test("oneself is always shown", () => {
    expect(shown(people, 3, "e", [])).toEqual(["a", "b", "e"]);
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

  test("become one seat for each person", () => {
    const found = seats([
      slot("0", "audio", "a", "microphone"),
      slot("1", "video", "a", "camera"),
      slot("2", "audio", "b", "microphone"),
      slot("5", "video", "b", "screen"),
    ]);
    expect(found.get("a")).toMatchObject({ audioMid: "0", videoMid: "1", screenMid: null });
    expect(found.get("b")).toMatchObject({ audioMid: "2", videoMid: null, screenMid: "5" });
  });

  test("a slot that is given to another leaves the first", () => {
    const found = seats([slot("1", "video", "a", "camera"), slot("1", "video", "b", "camera")]);
    expect(found.has("a")).toBe(false);
    expect(found.get("b")?.videoMid).toBe("1");
  });

  test("a phone has fewer seats", () => {
    expect([seatCount(390), seatCount(1440)]).toEqual([6, 9]);
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
    { mimeType: "video/AV1" },
  ];

  test("VP8 comes first, H264 where it is asked for, and nothing else is offered", () => {
    expect(preferred(offered, "video", "VP8")).toEqual([offered[0], offered[3], offered[1]]);
    expect(preferred(offered, "video", "H264")).toEqual([offered[3], offered[0], offered[1]]);
    expect(preferred([{ mimeType: "audio/opus" }, { mimeType: "audio/red" }], "audio", "VP8")).toHaveLength(1);
    expect([codecFromQuery("?codec=h264"), codecFromQuery("?codec=x"), codecFromQuery("")]).toEqual([
      "H264",
      "VP8",
      "VP8",
    ]);
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
        },
        { type: "transport", bytesReceived: 1 },
      ]);
    const slots = [
      { mid: "0", kind: "audio", participantId: "a", origin: "microphone" },
      { mid: "1", kind: "video", participantId: "a", origin: "camera" },
    ] as const;
    const found = qualities(report(1000, 10, 0), report(126_000, 90, 40), 1000, slots);
    expect(found.get("a")).toEqual({ bps: 2_000_000, lossPercent: 20, width_px: 1280, height_px: 720, fps: 30 });
  });
});

describe("shortcuts", () => {
  const press = (key: string, target: object = {}, more: object = {}) =>
    shortcut({ key, ctrlKey: false, metaKey: false, altKey: false, repeat: false, target, ...more });

  test("keys act in either case, and never while typing or with a modifier", () => {
    expect([press("m"), press("M"), press("?"), press(" "), press("x")]).toEqual([
      "microphone",
      "microphone",
      "help",
      "talk",
      null,
    ]);
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
