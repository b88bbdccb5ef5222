import { expect, test } from "vitest";
import vectors from "../../tests/vectors/meeting_state.json";
import type { Line, MeetingState } from "../src/protocol/generated/meeting";
import { apply, CHAT_KEPT, EMPTY } from "../src/rtc/state";

interface Vector {
  readonly name: string;
  readonly state: MeetingState;
  readonly line: Line;
  readonly expected: MeetingState;
}

test.each(vectors as unknown as Vector[])("$name", ({ state, line, expected }) => {
  expect(apply(state, line)).toEqual(expected);
});

test("only the last messages are kept", () => {
  let state = EMPTY;
  for (let sequence = 1; sequence <= CHAT_KEPT + 5; sequence += 1) {
    state = apply(state, {
      type: "said",
      sequence,
      at: 0,
      id: `${sequence}`,
      participantId: "a",
      name: "A",
      text: "hello",
    });
  }
  expect(state.chat).toHaveLength(CHAT_KEPT);
  expect(state.chat[0]?.id).toBe("6");
});
