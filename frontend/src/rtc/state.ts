/**
 * The meeting's state as a fold over its journal.
 *
 * The same function exists in Python; both pass the vectors in tests/vectors/meeting_state.json, so that
 * "state + lines = state of somebody who enters now" holds on either side.
 */
import type { Line, MeetingState, Person } from "../protocol/generated/meeting";

export const CHAT_KEPT = 200;

export const EMPTY: MeetingState = {
  sequence: 0,
  epoch: 0,
  over: false,
  people: [],
  chat: [],
  locked: false,
  spotlight: null,
};

export function apply(state: MeetingState, line: Line): MeetingState {
  // A line that is already in the state changes nothing.
  if (line.sequence <= state.sequence) return state;
  return { ...state, ...change(state, line), sequence: line.sequence };
}

function change(state: MeetingState, line: Line): Partial<MeetingState> {
  switch (line.type) {
    case "started":
    case "decided":
      return {};
    case "joined": {
      const others = state.people.filter((person) => person.id !== line.person.id);
      return { people: [...others, line.person].sort(byArrival) };
    }
    case "left":
      return {
        people: state.people.filter((person) => person.id !== line.participantId),
        spotlight: state.spotlight === line.participantId ? null : state.spotlight,
      };
    case "muted":
      return { people: changed(state.people, line.participantId, { muted: line.muted }) };
    case "camera-switched":
      return { people: changed(state.people, line.participantId, { cameraOn: line.on }) };
    case "screen-switched":
      return { people: changed(state.people, line.participantId, { sharing: line.on }) };
    case "hand-raised":
      return { people: changed(state.people, line.participantId, { handRaisedAt: line.raised ? line.at : null }) };
    case "renamed":
      return { people: changed(state.people, line.participantId, { name: line.name }) };
    case "role-changed":
      return { people: changed(state.people, line.participantId, { role: line.role }) };
    case "spotlighted":
      return { spotlight: line.participantId };
    case "locked":
      return { locked: line.locked };
    case "said": {
      const { id, participantId, name, text, at } = line;
      return { chat: [...state.chat, { id, participantId, name, text, at }].slice(-CHAT_KEPT) };
    }
    case "moved":
      return { epoch: line.epoch };
    case "ended":
      return { over: true, people: [] };
    default:
      return line satisfies never;
  }
}

function byArrival(one: Person, other: Person): number {
  return one.joinedAt - other.joinedAt || (one.id < other.id ? -1 : 1);
}

function changed(people: readonly Person[], id: string, change: Partial<Person>): readonly Person[] {
  return people.map((person) => (person.id === id ? { ...person, ...change } : person));
}
