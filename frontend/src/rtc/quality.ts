/** What getStats says about each tile, per second. */
import type { Slot } from "../protocol/generated/meeting";
import { keyOf, type UnitKey } from "./slots";

/** The counters of one inbound stream that are read; all of them only rise. */
export interface Counters {
  readonly mid: string;
  readonly kind: "audio" | "video";
  readonly bytes: number;
  readonly packets: number;
  readonly lost: number;
  readonly width_px: number;
  readonly height_px: number;
  readonly fps: number;
  /** As in `VP8`; empty before anything came. */
  readonly codec: string;
}

export interface Quality {
  readonly bps: number;
  readonly lossPercent: number;
  readonly width_px: number;
  readonly height_px: number;
  readonly fps: number;
  /** The picture's, else the sound's. */
  readonly codec: string;
}

export function counters(given: Iterable<Record<string, unknown>>): Counters[] {
  const report = [...given];
  const number = (value: unknown): number => (typeof value === "number" ? value : 0);
  const codecs = new Map<unknown, string>();
  for (const entry of report) {
    if (entry.type === "codec") codecs.set(entry.id, String(entry.mimeType).replace(/^\w+\//, ""));
  }
  const found: Counters[] = [];
  for (const entry of report) {
    if (entry.type !== "inbound-rtp" || typeof entry.mid !== "string") continue;
    found.push({
      mid: entry.mid,
      kind: entry.kind === "audio" ? "audio" : "video",
      bytes: number(entry.bytesReceived),
      packets: number(entry.packetsReceived),
      lost: number(entry.packetsLost),
      width_px: number(entry.frameWidth),
      height_px: number(entry.frameHeight),
      fps: number(entry.framesPerSecond),
      codec: codecs.get(entry.codecId) ?? "",
    });
  }
  return found;
}

/** Rates over the time between two readings, by tile. A stream that began in between counts from zero. */
export function qualities(
  before: readonly Counters[],
  after: readonly Counters[],
  elapsed_ms: number,
  slots: readonly Slot[],
): ReadonlyMap<UnitKey, Quality> {
  const owner = new Map(slots.map((slot) => [slot.mid, keyOf(slot)]));
  const old = new Map(before.map((entry) => [entry.mid, entry]));
  const sums = new Map<
    string,
    { bytes: number; packets: number; lost: number; codec: string; video: Counters | null }
  >();
  for (const entry of after) {
    const id = owner.get(entry.mid);
    if (id === undefined) continue;
    const sum = sums.get(id) ?? { bytes: 0, packets: 0, lost: 0, codec: "", video: null };
    const from = old.get(entry.mid);
    sum.bytes += Math.max(0, entry.bytes - (from?.bytes ?? 0));
    sum.packets += Math.max(0, entry.packets - (from?.packets ?? 0));
    sum.lost += Math.max(0, entry.lost - (from?.lost ?? 0));
    if (entry.kind === "video") sum.video = entry;
    if (entry.kind === "video" || sum.codec === "") sum.codec = entry.codec;
    sums.set(id, sum);
  }
  const found = new Map<UnitKey, Quality>();
  for (const [id, sum] of sums) {
    const all = sum.packets + sum.lost;
    found.set(id, {
      bps: elapsed_ms > 0 ? Math.round((sum.bytes * 8000) / elapsed_ms) : 0,
      lossPercent: all > 0 ? (100 * sum.lost) / all : 0,
      width_px: sum.video?.width_px ?? 0,
      height_px: sum.video?.height_px ?? 0,
      fps: sum.video?.fps ?? 0,
      codec: sum.codec,
    });
  }
  return found;
}

/** Packets of any kind that a connection received: for a sender, the relay's feedback. */
export function transportPackets(report: Iterable<Record<string, unknown>>): number {
  let sum = 0;
  for (const entry of report) {
    if (entry.type === "transport" && typeof entry.packetsReceived === "number") sum += entry.packetsReceived;
  }
  return sum;
}
