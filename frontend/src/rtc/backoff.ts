const FIRST_MS = 200;
const LONGEST_MS = 3000;

/**
 * How long to wait before attempt number `attempt` (from 0).
 *
 * Doubles from 0.2 s to 3 s; between half and the whole of that, so that the hundred browsers of one dead server do
 * not come back in the same moment.
 */
export function backoffMs(attempt: number, random: number): number {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return whole * (0.5 + random / 2);
}
