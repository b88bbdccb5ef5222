/** How tiles fill a rectangle: 16:9, as large as they go, in a stable order. */

import type { View } from "../protocol/generated/meeting";
import { type UnitKey, unitKey } from "../rtc/slots";

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
export function grid(count: number, width_px: number, height_px: number, ratio = RATIO): Grid {
  let best: Grid = { columns: 1, rows: Math.max(1, count), width_px: 0, height_px: 0 };
  for (let columns = Math.max(1, count); columns >= 1; columns -= 1) {
    const rows = Math.ceil(Math.max(1, count) / columns);
    const free_width = (width_px - GAP_PX * (columns - 1)) / columns;
    const free_height = (height_px - GAP_PX * (rows - 1)) / rows;
    const width = Math.floor(Math.max(0, Math.min(free_width, free_height * ratio)));
    if (width > best.width_px * WORTH_A_ROW)
      best = { columns, rows, width_px: width, height_px: Math.floor(width / ratio) };
  }
  return best;
}

/** A stage that stands upright is filled by squares, where they are this much larger: faces lose nothing. */
const WORTH_CROPPING = 1.3;

/** The tiles of a stage: 16:9, or square on a phone held upright. */
export function tiling(count: number, width_px: number, height_px: number): Grid {
  const wide = grid(count, width_px, height_px);
  if (width_px >= height_px) return wide;
  const square = grid(count, width_px, height_px, 1);
  const area = (tile: Grid): number => tile.width_px * tile.height_px;
  return area(square) > area(wide) * WORTH_CROPPING ? square : wide;
}

/** Everybody's place, which outlives the moment: nobody moves unless a hidden one speaks. */
export interface Order {
  readonly ids: readonly string[];
  /** Who spoke, latest first. */
  readonly spoken: readonly string[];
}

export const NO_ORDER: Order = { ids: [], spoken: [] };

const same = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((id, place) => id === other[place]);

/**
 * The order after people came, went or spoke; the same object when nothing changed.
 *
 * Newcomers go to the end. Of the first `room` places, one is always one's own; a speaker from behind them changes
 * places with whoever there has been silent longest.
 */
export function arranged(
  before: Order,
  people: readonly string[],
  room: number,
  me: string,
  speakers: readonly string[],
): Order {
  const present = new Set(people);
  const heard = speakers.filter((id) => present.has(id));
  const spoken = [...heard, ...before.spoken.filter((id) => present.has(id) && !heard.includes(id))];
  const ids = before.ids.filter((id) => present.has(id));
  ids.push(...people.filter((id) => !ids.includes(id)));
  const swap = (id: string, place: number): void => {
    const from = ids.indexOf(id);
    const other = ids[place];
    if (from < room || other === undefined) return;
    ids[place] = id;
    ids[from] = other;
  };
  if (present.has(me)) swap(me, room - 1);
  for (const speaker of heard) {
    const silence = (id: string): number => (spoken.includes(id) ? spoken.indexOf(id) : people.length);
    const quiet = ids.slice(0, room).filter((id) => id !== me && !heard.includes(id));
    const longest = Math.max(...quiet.map(silence));
    const place = ids.findLastIndex((id, index) => index < room && quiet.includes(id) && silence(id) === longest);
    if (place >= 0) swap(speaker, place);
  }
  return same(ids, before.ids) && same(spoken, before.spoken) ? before : { ids, spoken };
}

/** One picture on the stage: a person, or the screen that they share. */
export interface Shot {
  readonly key: UnitKey;
  readonly participantId: string;
  readonly screen: boolean;
}

export function shot(participantId: string, screen = false): Shot {
  return { key: unitKey(participantId, screen), participantId, screen };
}

/** What is on the stage: one large picture with the others in a strip, or a grid of equals. */
export interface Scene {
  readonly large: Shot | null;
  /** The grid's, or the strip's, of this page. */
  readonly tiles: readonly Shot[];
  readonly page: number;
  readonly pages: number;
}

/**
 * What to show in `room` places. A pinned picture is large, else a shared screen, else the `speaker` (null in the grid).
 * A page past the last one is the last one.
 */
export function scene(
  order: readonly string[],
  screens: readonly string[],
  pinned: UnitKey | null,
  speaker: string | null,
  room: number,
  page: number,
): Scene {
  const shared = screens.map((id) => shot(id, true));
  const all = [...shared, ...order.map((id) => shot(id))];
  const wanted = pinned ?? shared[0]?.key ?? speaker;
  const large = all.find(({ key }) => key === wanted) ?? shared[0] ?? all.find(({ key }) => key === speaker) ?? null;
  const others = all.filter(({ key }) => key !== large?.key);
  const size = Math.max(1, large === null ? room : room - 1);
  const pages = Math.max(1, Math.ceil(others.length / size));
  const shownPage = Math.min(Math.max(0, page), pages - 1);
  return { large, tiles: others.slice(shownPage * size, (shownPage + 1) * size), page: shownPage, pages };
}

/** One picture alone is worth the whole of it: it is sharper scaled down, and there is room on the line. */
const ALONE_PX = 720;

/** A face may be enlarged by a fifth before anybody notices; the next layer would cost four times as much. */
const ENLARGED = 1.2;

/** What the page asks for: the pictures on the stage, large first, in pixels of the screen. */
export function views(
  { large, tiles }: Scene,
  me: string,
  large_px: number,
  tile_px: number,
  pixelRatio: number,
): readonly View[] {
  const others = (large === null ? tiles : [large, ...tiles]).filter(({ participantId }) => participantId !== me);
  return others.map(({ key, participantId, screen }) => {
    const shown_px = (key === large?.key ? large_px : tile_px) * pixelRatio;
    const height = Math.round(screen ? shown_px : shown_px / ENLARGED);
    return {
      participantId,
      origin: screen ? "screen" : "camera",
      heightPx: Math.min(TALLEST_PX, others.length === 1 ? Math.max(height, ALONE_PX) : height),
    };
  });
}

const TALLEST_PX = 8192;

/** How wide a tile of the strip is, beside a stage of this width. */
export function stripWidth(stage_px: number): number {
  return stage_px < 640 ? 112 : Math.round(Math.min(184, Math.max(120, stage_px * 0.13)));
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
