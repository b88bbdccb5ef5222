// Written by `manage.py protocol` from conference/protocol.py. Do not edit.

export const VERSION = 1;

/** One frame from a browser: the largest SDP (128 KiB) with its line ends escaped stays below it. */
export const MAX_FRAME_BYTES = 196608;

export type Role = "cohost" | "guest" | "host" | "member";

export type Origin = "camera" | "microphone" | "screen" | "screen-sound";

export type Kind = "audio" | "video";

export type Connection = "receive" | "send";

/** Enter, or come back after a lost connection having seen everything up to `seen`. Answered by Welcomed. */
export interface Join {
  readonly type: "join";
  readonly ticket: string;
  readonly version?: number;
  /** position in the meeting's journal; 0 is before the first line */
  readonly seen?: number | null;
}

/** A gap was noticed: say every line past `seen` again. */
export interface Resume {
  readonly type: "resume";
  /** position in the meeting's journal; 0 is before the first line */
  readonly seen: number;
}

/**
 * An SDP offer (RFC 8829) for one of the two connections. Answered by Answered, or Refused with the same `id`.
 *
 * `send` lists in `origins` what each of its sections carries; `receive` offers receive-only sections, the slots.
 */
export interface Offer {
  readonly type: "offer";
  readonly id: string;
  readonly connection: Connection;
  readonly sdp: string;
  /** mid → what is sent there */
  readonly origins?: Readonly<Record<string, "camera" | "microphone" | "screen" | "screen-sound">>;
}

/** Ask that somebody, or oneself, be muted or heard again. */
export interface Mute {
  readonly type: "mute";
  readonly participantId: string;
  readonly muted: boolean;
  readonly id?: string | null;
}

/** Ask that somebody's camera, or one's own, be on or off. */
export interface SwitchCamera {
  readonly type: "switch-camera";
  readonly participantId: string;
  readonly on: boolean;
  readonly id?: string | null;
}

/** Begin or end sharing one's own screen; hosts may end that of others. The sections for it are always there. */
export interface SwitchScreen {
  readonly type: "switch-screen";
  readonly participantId: string;
  readonly on: boolean;
  readonly id?: string | null;
}

/** Raise or lower one's hand; hosts may lower that of others. */
export interface RaiseHand {
  readonly type: "raise-hand";
  readonly participantId: string;
  readonly raised: boolean;
  readonly id?: string | null;
}

/** One picture that the page shows, and how tall. */
export interface View {
  readonly participantId: string;
  readonly origin: Origin;
  /** pixels of the screen; the layer is chosen by it */
  readonly heightPx: number;
}

/**
 * What the page shows now, most important first: just these pictures fill the video slots. To be said again after
 * each new `receive` connection. Everybody's sound comes anyway.
 */
export interface Watch {
  readonly type: "watch";
  readonly views: readonly View[];
}

/** Write to everybody. The browser chooses `id`; saying the same id again changes nothing. */
export interface Say {
  readonly type: "say";
  readonly id: string;
  readonly text: string;
}

/** Go. Without it, one is gone 15 s after both socket and media are. */
export interface Leave {
  readonly type: "leave";
}

/** End the meeting for everybody (hosts). */
export interface End {
  readonly type: "end";
  readonly id?: string | null;
}

/** Mute everybody but oneself and `spared` (hosts). */
export interface MuteAll {
  readonly type: "mute-all";
  readonly spared?: readonly string[];
  readonly id?: string | null;
}

/** Lower all hands (hosts). */
export interface LowerHands {
  readonly type: "lower-hands";
  readonly id?: string | null;
}

/** Let nobody new in, or again (hosts). */
export interface Lock {
  readonly type: "lock";
  readonly locked: boolean;
  readonly id?: string | null;
}

/** Give oneself, or as a host somebody else, another name. */
export interface Rename {
  readonly type: "rename";
  readonly participantId: string;
  readonly name: string;
  readonly id?: string | null;
}

/** Promote or demote somebody until the end of the meeting (hosts). */
export interface SetRole {
  readonly type: "set-role";
  readonly participantId: string;
  readonly role: Role;
  readonly id?: string | null;
}

/** Show somebody large to everybody, or nobody any more (hosts). */
export interface Spotlight {
  readonly type: "spotlight";
  readonly participantId: string | null;
  readonly id?: string | null;
}

/** Send somebody out; with `ban` they do not come back into this meeting (hosts). */
export interface Remove {
  readonly type: "remove";
  readonly participantId: string;
  readonly ban?: boolean;
  readonly id?: string | null;
}

/** Have somebody wait outside until they are admitted again (hosts). */
export interface MoveToLobby {
  readonly type: "move-to-lobby";
  readonly participantId: string;
  readonly id?: string | null;
}

/** Let in somebody who waits, or deny them (hosts). */
export interface Admit {
  readonly type: "admit";
  readonly participantId: string;
  readonly admitted: boolean;
  readonly id?: string | null;
}

/** Let in everybody who waits (hosts). */
export interface AdmitAll {
  readonly type: "admit-all";
  readonly id?: string | null;
}

/** Show everybody a sign that passes. */
export interface React {
  readonly type: "react";
  readonly reaction: "❤️" | "🎉" | "👍" | "👏" | "😂" | "😮";
}

/** The meeting began. */
export interface Started {
  readonly type: "started";
  /** position in the meeting's journal; 0 is before the first line */
  readonly sequence: number;
  /** milliseconds since 1970, the server's clock */
  readonly at: number;
  readonly by: string;
}

/** Someone in the meeting, as wished for by the control plane: what is muted here is dropped by the relay. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly muted: boolean;
  readonly cameraOn: boolean;
  /** milliseconds since 1970, the server's clock */
  readonly joinedAt: number;
  /** Whether a screen of theirs is shared. */
  readonly sharing?: boolean;
  /** milliseconds since 1970, the server's clock */
  readonly handRaisedAt?: number | null;
}

/** Someone entered. */
export interface Joined {
  readonly type: "joined";
  /** position in the meeting's journal; 0 is before the first line */
  readonly sequence: number;
  /** milliseconds since 1970, the server's clock */
  readonly at: number;
  readonly person: Person;
}

/** Someone is gone. */
export interface Left {
  readonly type: "left";
  /** position in the meeting's journal; 0 is before the first line */
  readonly sequence: number;
  /** milliseconds since 1970, the server's clock */
  readonly at: number;
  readonly participantId: string;
  readonly reason: "banned" | "ended" | "left" | "lobby" | "lost" | "removed";
  /** Who sent them out, where somebody did. */
  readonly by?: string;
}

/** Someone was muted, or may be heard again. `by` is a participant id, or `operator` or an integration's name. */
export interface Muted {
  readonly type: "muted";
  /** position in the meeting's journal; 0 is before the first line */
  readonly sequence: number;
  /** milliseconds since 1970, the server's clock */
  readonly at: number;
  readonly participantId: string;
  readonly muted: boolean;
  readonly by: string;
}

/** Someone's camera was switched. */
export interface CameraSwitched {
  readonly type: "camera-switched";
  /** position in the meeting's journal; 0 is before the first line */
  readonly sequence: number;
  /** milliseconds since 1970, the server's clock */
  readonly at: number;
  readonly participantId: string;
  readonly on: boolean;
  readonly by: string;
}

/** Someone began or ended sharing their screen. */
export interface ScreenSwitched {
  readonly type: "screen-switched";
  /** position in the meeting's journal; 0 is before the first line */
  readonly sequence: number;
  /** milliseconds since 1970, the server's clock */
  readonly at: number;
  readonly participantId: string;
  readonly on: boolean;
  readonly by: string;
}

/** Someone's hand went up (`at` gives its place in the order) or down. */
export interface HandRaised {
  readonly type: "hand-raised";
  /** position in the meeting's journal; 0 is before the first line */
  readonly sequence: number;
  /** milliseconds since 1970, the server's clock */
  readonly at: number;
  readonly participantId: string;
  readonly raised: boolean;
  readonly by: string;
}

/** Someone has another name. */
export interface Renamed {
  readonly type: "renamed";
  /** position in the meeting's journal; 0 is before the first line */
  readonly sequence: number;
  /** milliseconds since 1970, the server's clock */
  readonly at: number;
  readonly participantId: string;
  readonly name: string;
  readonly by: string;
}

/** Someone may do more, or less, than before. */
export interface RoleChanged {
  readonly type: "role-changed";
  /** position in the meeting's journal; 0 is before the first line */
  readonly sequence: number;
  /** milliseconds since 1970, the server's clock */
  readonly at: number;
  readonly participantId: string;
  readonly role: Role;
  readonly by: string;
}

/** Everybody sees this person large; None: nobody any more. */
export interface Spotlighted {
  readonly type: "spotlighted";
  /** position in the meeting's journal; 0 is before the first line */
  readonly sequence: number;
  /** milliseconds since 1970, the server's clock */
  readonly at: number;
  readonly participantId: string | null;
  readonly by: string;
}

/** Nobody new comes in any more, or may again. */
export interface Locked {
  readonly type: "locked";
  /** position in the meeting's journal; 0 is before the first line */
  readonly sequence: number;
  /** milliseconds since 1970, the server's clock */
  readonly at: number;
  readonly locked: boolean;
  readonly by: string;
}

/** A host let somebody in who waited, or did not. */
export interface Decided {
  readonly type: "decided";
  /** position in the meeting's journal; 0 is before the first line */
  readonly sequence: number;
  /** milliseconds since 1970, the server's clock */
  readonly at: number;
  readonly participantId: string;
  readonly name: string;
  readonly admitted: boolean;
  readonly by: string;
}

/** Someone wrote. */
export interface Said {
  readonly type: "said";
  /** position in the meeting's journal; 0 is before the first line */
  readonly sequence: number;
  /** milliseconds since 1970, the server's clock */
  readonly at: number;
  readonly id: string;
  readonly participantId: string;
  readonly name: string;
  readonly text: string;
}

/** Another relay carries the meeting now: build new connections and offer again. */
export interface Moved {
  readonly type: "moved";
  /** position in the meeting's journal; 0 is before the first line */
  readonly sequence: number;
  /** milliseconds since 1970, the server's clock */
  readonly at: number;
  /** which relay carries the meeting; rises with each move */
  readonly epoch: number;
  readonly reason: "drained" | "opened" | "taken-over";
}

/** The meeting is over. */
export interface Ended {
  readonly type: "ended";
  /** position in the meeting's journal; 0 is before the first line */
  readonly sequence: number;
  /** milliseconds since 1970, the server's clock */
  readonly at: number;
  readonly by: string;
}

/** One chat message. */
export interface ChatMessage {
  readonly id: string;
  readonly participantId: string;
  readonly name: string;
  readonly text: string;
  /** milliseconds since 1970, the server's clock */
  readonly at: number;
}

/** Everything about a meeting as of `sequence`: the state that its lines, replayed, would give. */
export interface MeetingState {
  /** position in the meeting's journal; 0 is before the first line */
  readonly sequence: number;
  /** which relay carries the meeting; rises with each move */
  readonly epoch: number;
  readonly over: boolean;
  readonly people: readonly Person[];
  /** The last 200. */
  readonly chat: readonly ChatMessage[];
  readonly locked?: boolean;
  /** Whom everybody sees large. */
  readonly spotlight?: string | null;
}

/** You are in. With `state`, forget what you knew; without it, the lines past your `seen` follow. */
export interface Welcomed {
  readonly type: "welcomed";
  readonly participantId: string;
  readonly role: Role;
  readonly meetingId: string;
  readonly roomSlug: string;
  readonly roomTitle: string;
  /** which relay carries the meeting; rises with each move */
  readonly epoch: number;
  readonly version: number;
  readonly state: MeetingState | null;
}

/** You are in the waiting room; `welcomed` follows once a host lets you in, and nothing before that. */
export interface AskedToWait {
  readonly type: "asked-to-wait";
  readonly participantId: string;
  readonly roomSlug: string;
  readonly roomTitle: string;
}

/** Somebody who waits to be let in. */
export interface WaitingPerson {
  readonly id: string;
  readonly name: string;
  /** milliseconds since 1970, the server's clock */
  readonly since: number;
}

/** Everybody who waits now, first come first; said to hosts when it changes, and to each who enters. */
export interface WaitingRoom {
  readonly type: "waiting-room";
  readonly people: readonly WaitingPerson[];
}

/** Somebody shows a sign for a moment. */
export interface Reacted {
  readonly type: "reacted";
  readonly participantId: string;
  readonly reaction: string;
}

/** The journal's head, every 2 s: whoever has seen less asks to resume; whoever hears nothing for 6 s reconnects. */
export interface Headed {
  readonly type: "headed";
  /** position in the meeting's journal; 0 is before the first line */
  readonly sequence: number;
}

/** The relay's SDP answer to the offer `id`. */
export interface Answered {
  readonly type: "answered";
  readonly id: string;
  /** which relay carries the meeting; rises with each move */
  readonly epoch: number;
  readonly sdp: string;
}

/** A no with a stable code. `id` is that of the request, where it had one. */
export interface Refused {
  readonly type: "refused";
  readonly code: string;
  readonly detail: string;
  readonly id?: string | null;
}

/** The request `id` was heard: it `applied`, or the person was asked (`requested`). */
export interface Done {
  readonly type: "done";
  readonly id: string;
  readonly outcome: "applied" | "requested";
}

/** One section (mid) of the `receive` connection, and whose track plays there. */
export interface Slot {
  readonly mid: string;
  readonly kind: Kind;
  readonly participantId: string;
  readonly origin: Origin;
}

/** Everything that plays in your slots from now on; a section not listed is empty. */
export interface SlotsAssigned {
  readonly type: "slots-assigned";
  /** which relay carries the meeting; rises with each move */
  readonly epoch: number;
  readonly slots: readonly Slot[];
}

/** How loud someone is, 0 (silent) to 127. */
export interface Loudness {
  readonly participantId: string;
  readonly level: number;
}

/** Who speaks now, loudest first. */
export interface SpeakersHeard {
  readonly type: "speakers-heard";
  /** which relay carries the meeting; rises with each move */
  readonly epoch: number;
  readonly speakers: readonly Loudness[];
}

/** How tall one's picture is shown at most, to anybody; 0: nobody looks. */
export interface OwnView {
  readonly origin: Origin;
  readonly heightPx: number;
}

/** What anybody looks at of yours: layers above that, or all where it is 0, need not be sent. */
export interface LookedAt {
  readonly type: "looked-at";
  /** which relay carries the meeting; rises with each move */
  readonly epoch: number;
  readonly views: readonly OwnView[];
}

/** This server process is about to end: open a new socket within `within_ms`, then let this one go. */
export interface HandedOver {
  readonly type: "handed-over";
  readonly withinMs: number;
}

/** A host asks you to unmute or to switch your camera on; only you can. */
export interface Requested {
  readonly type: "requested";
  readonly what: "camera-on" | "unmute";
  readonly by: string;
}

export type FromBrowser =
  | Join
  | Resume
  | Offer
  | Mute
  | SwitchCamera
  | SwitchScreen
  | RaiseHand
  | Watch
  | Say
  | Leave
  | End
  | MuteAll
  | LowerHands
  | Lock
  | Rename
  | SetRole
  | Spotlight
  | Remove
  | MoveToLobby
  | Admit
  | AdmitAll
  | React;

export type Line =
  | Started
  | Joined
  | Left
  | Muted
  | CameraSwitched
  | ScreenSwitched
  | HandRaised
  | Renamed
  | RoleChanged
  | Spotlighted
  | Locked
  | Decided
  | Said
  | Moved
  | Ended;

export type ToBrowser =
  | Welcomed
  | AskedToWait
  | WaitingRoom
  | Reacted
  | Headed
  | Answered
  | Refused
  | Done
  | SlotsAssigned
  | SpeakersHeard
  | LookedAt
  | HandedOver
  | Requested
  | Started
  | Joined
  | Left
  | Muted
  | CameraSwitched
  | ScreenSwitched
  | HandRaised
  | Renamed
  | RoleChanged
  | Spotlighted
  | Locked
  | Decided
  | Said
  | Moved
  | Ended;
