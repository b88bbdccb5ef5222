/** What a refusal means for the connection. Its words are in the catalogues, under `refusal.<code>`. */

/** Trying again may help; everything else that ends the socket is final. */
const PASSING = new Set([
  "relay.unavailable",
  "relay.elsewhere",
  "messages.too-many",
  "service.unavailable",
  "network.unreachable",
]);

/** Every code that the server may say and the page explains in its own words. */
export const EXPLAINED = [
  "room.unknown",
  "meeting.unknown",
  "meeting.over",
  "meeting.not-started",
  "meeting.full",
  "meeting.locked",
  "room.passcode-needed",
  "room.passcode-wrong",
  "participant.banned",
  "participant.denied",
  "participant.waiting",
  "participant.host",
  "participant.room-host",
  "role.host-only",
  "ticket.invalid",
  "ticket.expired",
  "ticket.revoked",
  "session.replaced",
  "messages.too-many",
  "message.too-large",
  "message.malformed",
  "sdp.malformed",
  "sdp.too-large",
  "sdp.no-common-codec",
  "relay.unavailable",
  "relay.elsewhere",
  "requests.too-many",
  "tickets.too-many",
  "guests.not-allowed",
  "participant.unknown",
  "participant.name",
  "meeting.host-only",
  "meeting.inside-only",
  "message.blank",
  "message.version",
  "session.out-of-turn",
  "session.silent",
  "user.forbidden",
  "service.unavailable",
  "network.unreachable",
] as const;

export type ExplainedCode = (typeof EXPLAINED)[number];

/** Codes of one family that mean the same to a person. */
export function explained(code: string): ExplainedCode | null {
  if ((EXPLAINED as readonly string[]).includes(code)) return code as ExplainedCode;
  if (code.startsWith("sdp.")) return "sdp.malformed";
  if (code.startsWith("relay.")) return "relay.unavailable";
  if (code.startsWith("rate.") || code.endsWith(".too-many")) return "requests.too-many";
  return null;
}

export function isPassing(code: string): boolean {
  return PASSING.has(code) || code.startsWith("relay.") || code.endsWith(".too-many");
}

/** Close codes 44xx are the refusals of common/errors.py; 4429 and 4503 pass by themselves. */
export function isFinalClose(code: number): boolean {
  return code >= 4400 && code < 4500 && code !== 4429 && code !== 4503;
}
