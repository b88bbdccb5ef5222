/** The tiles: a grid of equals, or one large picture (a screen, a pin, the speaker) and the others in a strip. */
import { ChevronLeft, ChevronRight } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Button } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { View } from "../protocol/generated/meeting";
import type { CallSnapshot } from "../rtc/call";
import type { LocalSnapshot } from "../rtc/local";
import type { UnitKey } from "../rtc/slots";
import { useSize } from "../ui/hooks";
import {
  arranged,
  GAP_PX,
  NO_ORDER,
  RATIO,
  type Scene,
  type Shot,
  scene,
  staged,
  stripWidth,
  tiling,
  views,
} from "./layout";
import { handOrder } from "./people";
import { Tile, type TileActions } from "./Tile";

/** Below this loudness (0 to 127) it is breath and keyboards. */
const VOICE_LEVEL = 60;

export type LayoutName = "grid" | "speaker";

interface StageProps extends Omit<TileActions, "pinned"> {
  readonly call: CallSnapshot;
  readonly media: LocalSnapshot;
  readonly layout: LayoutName;
  readonly room: number;
  readonly page: number;
  readonly pinned: UnitKey | null;
  readonly onPage: (page: number) => void;
  readonly onShow: (views: readonly View[]) => void;
}

export function Stage({ call, media, layout, room, page, pinned, onPage, onShow, ...actions }: StageProps) {
  const { t } = useTranslation();
  const [ref, size] = useSize<HTMLDivElement>();
  const [order, setOrder] = useState(NO_ORDER);
  const last = useRef<string | null>(null);
  const { people } = call.state;
  const speakers = call.speakers.filter((heard) => heard.level >= VOICE_LEVEL).map((heard) => heard.participantId);
  const ids = people.map((person) => person.id);
  const now = arranged(order, ids, room, call.me, speakers);
  if (now !== order) setOrder(now);
  const speaker = layout === "speaker" && ids.length > 1 ? staged(ids, call.me, speakers, last.current) : null;
  useEffect(() => {
    if (speaker !== null) last.current = speaker;
  }, [speaker]);

  const screens = people.filter((person) => person.sharing && person.id !== call.me).map((person) => person.id);
  const shown = scene(now.ids, screens, pinned, speaker, room, page);
  // Pages of the grid are not pages of the strip; a key pressed past the end is at the end.
  const enlarged = shown.large !== null;
  const wasEnlarged = useRef(enlarged);
  useEffect(() => {
    const first = wasEnlarged.current !== enlarged;
    wasEnlarged.current = enlarged;
    if (first || page !== shown.page) onPage(first ? 0 : shown.page);
  }, [enlarged, page, shown.page, onPage]);
  const strip_px = stripWidth(size.width);
  const best = tiling(shown.tiles.length, size.width, size.height);
  const large_px = shown.tiles.length === 0 ? size.height : size.height - strip_px / RATIO - GAP_PX;
  const asked =
    call.phase === "in" && size.height > 0
      ? views(shown, call.me, large_px, shown.large === null ? best.height_px : strip_px / RATIO, devicePixelRatio)
      : null;
  const list = JSON.stringify(asked);
  useEffect(() => {
    const parsed = JSON.parse(list) as readonly View[] | null;
    if (parsed !== null) onShow(parsed);
  }, [list, onShow]);

  const hands = handOrder(people);
  const tile = ({ key, participantId, screen }: Shot, small = false) => {
    const person = people.find((candidate) => candidate.id === participantId);
    if (person === undefined) return null;
    const own = participantId === call.me;
    // One's own tile follows the hand, not the journal.
    const { microphone, camera } = media;
    const muted = own ? !microphone.on || microphone.track === null : person.muted;
    const seen = screen || (own ? camera.on && camera.track !== null : person.cameraOn);
    const picture = own ? camera.track : (call.streams.get(key)?.getVideoTracks()[0] ?? null);
    return (
      <Tile
        key={key}
        person={person}
        screen={screen}
        own={own}
        muted={muted}
        picture={seen ? picture : null}
        speaking={!screen && !muted && speakers.includes(participantId)}
        frozen={!own && call.media === "stalled"}
        quality={call.quality.get(key)}
        hand={screen ? 0 : (hands.get(participantId) ?? 0)}
        pinned={pinned === key}
        small={small}
        {...actions}
      />
    );
  };

  if (shown.large !== null) {
    return (
      <section className="stage speaker-layout" ref={ref} aria-label={t("stage.label")}>
        {shown.tiles.length > 0 && (
          <div className="strip-row">
            <Turn scene={shown} by={-1} onPage={onPage} />
            <div className="strip" style={{ gridAutoColumns: `${strip_px}px` }}>
              {shown.tiles.map((one) => tile(one, true))}
            </div>
            <Turn scene={shown} by={1} onPage={onPage} />
          </div>
        )}
        <div className="large-tile">{tile(shown.large)}</div>
      </section>
    );
  }
  return (
    <section className={shown.pages > 1 ? "stage paged" : "stage"} ref={ref} aria-label={t("stage.label")}>
      <div
        className="grid"
        style={{
          gridTemplateColumns: `repeat(${best.columns * 2}, ${(best.width_px - 8) / 2}px)`,
          gridAutoRows: `${best.height_px}px`,
        }}
        data-last={shown.tiles.length % best.columns}
        ref={(element) => centreLastRow(element, shown.tiles.length, best.columns)}
      >
        {shown.tiles.map((one) => tile(one))}
      </div>
      <Turn scene={shown} by={-1} onPage={onPage} />
      <Turn scene={shown} by={1} onPage={onPage} />
      <Dots scene={shown} onPage={onPage} />
    </section>
  );
}

interface PagingProps {
  readonly scene: Scene;
  readonly onPage: (page: number) => void;
}

function Turn({ scene: { page, pages }, by, onPage }: PagingProps & { readonly by: 1 | -1 }) {
  const { t } = useTranslation();
  if (pages < 2) return null;
  const Icon = by > 0 ? ChevronRight : ChevronLeft;
  return (
    <Button
      className={by > 0 ? "turn next" : "turn"}
      aria-label={t(by > 0 ? "stage.nextPage" : "stage.previousPage")}
      isDisabled={by > 0 ? page === pages - 1 : page === 0}
      onPress={() => onPage(page + by)}
    >
      <Icon size={20} aria-hidden />
    </Button>
  );
}

function Dots({ scene: { page, pages }, onPage }: PagingProps) {
  const { t } = useTranslation();
  if (pages < 2) return null;
  return (
    <nav className="dots" aria-label={t("stage.pages")}>
      {Array.from({ length: pages }, (_, index) => index).map((index) => (
        <Button
          key={index}
          className="dot"
          aria-label={t("stage.page", { page: index + 1, pages })}
          aria-current={index === page ? "page" : undefined}
          onPress={() => onPage(index)}
        />
      ))}
    </nav>
  );
}

/** Each tile spans two half columns, so that a last row that is not full sits in the middle. */
function centreLastRow(element: HTMLDivElement | null, count: number, columns: number): void {
  const rest = count % columns;
  [...(element?.children ?? [])].forEach((child, index) => {
    const first = rest > 0 && index === count - rest;
    (child as HTMLElement).style.gridColumn = first ? `${columns - rest + 1} / span 2` : "span 2";
  });
}
