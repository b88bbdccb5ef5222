/** Who plays where: the server's slots turned into what each participant's tile plays. */
import type { Origin, Slot } from "../protocol/generated/meeting";

/** mids of what one participant sends, as they arrive here. */
export interface Seat {
  readonly participantId: string;
  readonly audioMid: string | null;
  readonly videoMid: string | null;
  readonly screenMid: string | null;
  readonly screenAudioMid: string | null;
}

const NOTHING = { audioMid: null, videoMid: null, screenMid: null, screenAudioMid: null };

function field(kind: Slot["kind"], origin: Origin): keyof typeof NOTHING {
  if (origin === "screen") return kind === "audio" ? "screenAudioMid" : "screenMid";
  return kind === "audio" ? "audioMid" : "videoMid";
}

/** One seat for each participant that plays in some slot; the last word of the server wins a mid. */
export function seats(slots: readonly Slot[]): ReadonlyMap<string, Seat> {
  const byMid = new Map(slots.map((slot) => [slot.mid, slot]));
  const found = new Map<string, Seat>();
  for (const slot of byMid.values()) {
    const seat = found.get(slot.participantId) ?? { participantId: slot.participantId, ...NOTHING };
    found.set(slot.participantId, { ...seat, [field(slot.kind, slot.origin)]: slot.mid });
  }
  return found;
}

/** How many seats a page of this width shows. */
export function seatCount(width_px: number): number {
  return width_px < 640 ? 6 : 9;
}
