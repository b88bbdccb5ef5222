/** Who plays where: the server's slots turned into what each tile plays. */
import type { Origin, Slot } from "../protocol/generated/meeting";

/** What one tile shows and sounds like: a person, or the screen that they share. */
export type UnitKey = string;

export function unitKey(participantId: string, screen = false): UnitKey {
  return screen ? `${participantId}/screen` : participantId;
}

export function isScreen(origin: Origin): boolean {
  return origin === "screen" || origin === "screen-sound";
}

export function keyOf(slot: Pick<Slot, "participantId" | "origin">): UnitKey {
  return unitKey(slot.participantId, isScreen(slot.origin));
}

/** mids of what plays in step: microphone and camera, or a screen and its sound. */
export interface Seat {
  readonly audioMid: string | null;
  readonly videoMid: string | null;
}

/** One seat for each unit that plays in some slot; the last word of the server wins a mid. */
export function seats(slots: readonly Slot[]): ReadonlyMap<UnitKey, Seat> {
  const byMid = new Map(slots.map((slot) => [slot.mid, slot]));
  const found = new Map<UnitKey, Seat>();
  for (const slot of byMid.values()) {
    const seat = found.get(keyOf(slot)) ?? { audioMid: null, videoMid: null };
    found.set(keyOf(slot), { ...seat, [slot.kind === "audio" ? "audioMid" : "videoMid"]: slot.mid });
  }
  return found;
}

/** How many pictures a page of this width shows at once. */
export function tileCount(width_px: number): number {
  return width_px < 640 ? 6 : 9;
}

/** The loudest of those who are not on the page are heard in seats of their own. */
const UNSEEN_VOICES = 3;

export function seatCount(width_px: number): number {
  return tileCount(width_px) + UNSEEN_VOICES;
}
