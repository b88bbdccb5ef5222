import { beforeEach, expect, test } from "vitest";
import type { View, Watch } from "../src/protocol/generated/meeting";
import { REST_MS, Viewing } from "../src/rtc/viewing";

const view = (participantId: string, heightPx = 360): View => ({ participantId, origin: "camera", heightPx });

let said: Watch[];
let due: (() => void)[];
let linked: boolean;
let viewing: Viewing;

const rest = (): void => {
  for (const act of due.splice(0)) act();
};

beforeEach(() => {
  said = [];
  due = [];
  linked = true;
  viewing = new Viewing({
    after: (ms, act) => {
      expect(ms).toBe(REST_MS);
      due.push(act);
      return () => {
        due = due.filter((other) => other !== act);
      };
    },
    send: (watch) => {
      if (linked) said.push(watch);
      return linked;
    },
  });
});

test("what the page shows is said once the layout rests, and only the last of it", () => {
  viewing.show([view("a", 100)]);
  viewing.show([view("a", 200)]);
  expect(said).toEqual([]);
  rest();
  expect(said).toEqual([{ type: "watch", views: [view("a", 200)] }]);
});

test("the same is not said twice, unless somebody new has to know it", () => {
  viewing.show([view("a")]);
  rest();
  viewing.show([view("a")]);
  rest();
  expect(said).toHaveLength(1);
  viewing.again();
  expect(said).toHaveLength(2);
});

test("a layout that returns to what was said takes back what was about to be", () => {
  viewing.show([view("a")]);
  rest();
  viewing.show([view("b")]);
  viewing.show([view("a")]);
  rest();
  expect(said).toHaveLength(1);
});

test("without a socket it is said later; before any layout there is nothing to say", () => {
  viewing.again();
  linked = false;
  viewing.show([view("a")]);
  rest();
  expect(said).toEqual([]);
  linked = true;
  viewing.show([view("a")]);
  rest();
  expect(said).toHaveLength(1);
});

test("more than the server takes is cut at the end, where it matters least", () => {
  viewing.show(Array.from({ length: 70 }, (_, index) => view(`${index}`)));
  rest();
  expect(said[0]?.views).toHaveLength(64);
});
