/** What the engine shows of a call: one snapshot, and news in passing. */
import type {
  FromBrowser,
  Loudness,
  MeetingState,
  Reacted,
  Requested,
  Role,
  WaitingPerson,
} from "../protocol/generated/meeting";
import type { Quality } from "./quality";
import type { UnitKey } from "./slots";

/** The verbs of hosts, and signs. */
export type Command = Extract<
  FromBrowser,
  {
    readonly type:
      | "mute-all"
      | "lower-hands"
      | "lock"
      | "rename"
      | "set-role"
      | "spotlight"
      | "remove"
      | "move-to-lobby"
      | "admit"
      | "admit-all"
      | "react";
  }
>;

export interface Unsent {
  readonly id: string;
  readonly text: string;
}

export type Ending = "over" | "left" | "removed" | "refused";

export interface CallSnapshot {
  /** `waiting`: outside, until a host lets one in. */
  readonly phase: "connecting" | "waiting" | "in" | "ended";
  readonly ending: Ending | null;
  readonly refusal: { readonly code: string; readonly detail: string } | null;
  /** Whether the socket is there; media may flow without it. */
  readonly linked: boolean;
  /** `stalled`: nothing comes in although it should; what the tiles show is frozen. */
  readonly media: "building" | "up" | "stalled";
  readonly me: string;
  readonly role: Role;
  readonly roomTitle: string;
  readonly state: MeetingState;
  readonly streams: ReadonlyMap<UnitKey, MediaStream>;
  readonly speakers: readonly Loudness[];
  readonly quality: ReadonlyMap<UnitKey, Quality>;
  readonly unsent: readonly Unsent[];
  /** Who asks to be let in; known to hosts alone. */
  readonly waiting: readonly WaitingPerson[];
  /** Signs of the last seconds, oldest first. */
  readonly reactions: readonly Shown[];
}

export interface Shown extends Pick<Reacted, "participantId" | "reaction"> {
  readonly id: string;
}

export type Notice =
  | { readonly kind: "joined" | "left"; readonly name: string }
  | { readonly kind: "muted-by" | "camera-off-by" | "screen-off-by" | "hand-lowered-by"; readonly name: string }
  | { readonly kind: "shared" | "hand"; readonly name: string }
  | { readonly kind: "knocked" | "spotlit"; readonly name: string }
  | { readonly kind: "locked" | "unlocked" | "moved" }
  | { readonly kind: "role"; readonly role: Role }
  | { readonly kind: "requested"; readonly what: Requested["what"]; readonly name: string }
  | { readonly kind: "asked"; readonly name: string }
  | { readonly kind: "said"; readonly name: string; readonly text: string }
  | { readonly kind: "refused"; readonly code: string; readonly detail: string };
