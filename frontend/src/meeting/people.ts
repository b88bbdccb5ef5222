/** Who is called first, and who is listed first. */
import type { Person } from "../protocol/generated/meeting";

/** Raised hands, numbered from 1 in the order in which they went up. */
export function handOrder(people: readonly Person[]): ReadonlyMap<string, number> {
  const raised = people.filter((person) => typeof person.handRaisedAt === "number");
  raised.sort((one, other) => (one.handRaisedAt ?? 0) - (other.handRaisedAt ?? 0) || (one.id < other.id ? -1 : 1));
  return new Map(raised.map((person, place) => [person.id, place + 1]));
}

/** Raised hands first, then everybody in the order of arrival. */
export function listed(people: readonly Person[]): readonly Person[] {
  const hands = handOrder(people);
  const place = (person: Person): number => hands.get(person.id) ?? Number.POSITIVE_INFINITY;
  const up = people.filter((person) => hands.has(person.id)).sort((one, other) => place(one) - place(other));
  return [...up, ...people.filter((person) => !hands.has(person.id))];
}
