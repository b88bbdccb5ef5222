/** How tiles fill a rectangle: 16:9, as large as they go, in a stable order. */

export const GAP_PX = 8;
export const RATIO = 16 / 9;

export interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly width_px: number;
  readonly height_px: number;
}

/** More rows must make tiles this much larger to be worth it: faces belong side by side. */
const WORTH_A_ROW = 1.08;

/** The largest common tile for `count` tiles, or one nearly as large in fewer rows. */
export function grid(count: number, width_px: number, height_px: number): Grid {
  let best: Grid = { columns: 1, rows: Math.max(1, count), width_px: 0, height_px: 0 };
  for (let columns = Math.max(1, count); columns >= 1; columns -= 1) {
    const rows = Math.ceil(Math.max(1, count) / columns);
    const free_width = (width_px - GAP_PX * (columns - 1)) / columns;
    const free_height = (height_px - GAP_PX * (rows - 1)) / rows;
    const width = Math.floor(Math.max(0, Math.min(free_width, free_height * RATIO)));
    if (width > best.width_px * WORTH_A_ROW)
      best = { columns, rows, width_px: width, height_px: Math.floor(width / RATIO) };
  }
  return best;
}

/**
 * Who is shown, when there is room for `room` tiles: the order of arrival, so that nobody's place changes; a speaker who
 * is past the end takes the place of the last one shown who is neither speaking nor oneself.
 */
export function shown(
  people: readonly string[],
  room: number,
  me: string,
  speakers: readonly string[],
): readonly string[] {
  if (people.length <= room) return people;
  const first = people.slice(0, room);
  if (!first.includes(me) && people.includes(me) && room > 0) first[room - 1] = me;
  for (const speaker of speakers) {
    if (first.includes(speaker) || !people.includes(speaker)) continue;
    const place = first.findLastIndex((id) => id !== me && !speakers.includes(id));
    if (place >= 0) first[place] = speaker;
  }
  return first;
}

/** Who fills the stage in the speaker layout: the loudest other, else who did so last, else the first other. */
export function staged(
  people: readonly string[],
  me: string,
  speakers: readonly string[],
  last: string | null,
): string | null {
  const others = people.filter((id) => id !== me);
  const loudest = speakers.find((id) => others.includes(id));
  if (loudest !== undefined) return loudest;
  if (last !== null && others.includes(last)) return last;
  return others[0] ?? people[0] ?? null;
}
