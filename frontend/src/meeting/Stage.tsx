/** The tiles: a grid of equals, or one large and the others in a strip. */
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { CallSnapshot } from "../rtc/call";
import type { LocalSnapshot } from "../rtc/local";
import { useSize } from "../ui/hooks";
import { grid, shown, staged } from "./layout";
import { Tile, type TileProps } from "./Tile";

/** Below this loudness (0 to 127) it is breath and keyboards. */
const VOICE_LEVEL = 60;

export type LayoutName = "grid" | "speaker";

interface StageProps {
  readonly call: CallSnapshot;
  readonly media: LocalSnapshot;
  readonly layout: LayoutName;
  readonly room: number;
}

export function Stage({ call, media, layout, room }: StageProps) {
  const { t } = useTranslation();
  const [ref, size] = useSize<HTMLDivElement>();
  const last = useRef<string | null>(null);
  const { people } = call.state;
  const ids = people.map((person) => person.id);
  const speakers = call.speakers.filter((heard) => heard.level >= VOICE_LEVEL).map((heard) => heard.participantId);
  const large = layout === "speaker" && people.length > 1 ? staged(ids, call.me, speakers, last.current) : null;
  useEffect(() => {
    if (large !== null) last.current = large;
  }, [large]);

  const props = (id: string): TileProps | null => {
    const person = people.find((candidate) => candidate.id === id);
    if (person === undefined) return null;
    const own = id === call.me;
    return {
      // One's own tile follows the hand, not the journal.
      person: own
        ? {
            ...person,
            muted: !media.microphone.on || media.microphone.track === null,
            cameraOn: media.camera.on && media.camera.track !== null,
          }
        : person,
      own,
      picture: own ? media.camera.track : (call.streams.get(id)?.getVideoTracks()[0] ?? null),
      speaking: speakers.includes(id),
      frozen: !own && call.media === "stalled",
      quality: call.quality.get(id),
    };
  };
  const tile = (id: string, small = false) => {
    const found = props(id);
    return found === null ? null : <Tile key={id} {...found} small={small} />;
  };

  if (large !== null) {
    return (
      <section className="stage speaker-layout" ref={ref} aria-label={t("stage.label")}>
        <div className="strip">{ids.filter((id) => id !== large).map((id) => tile(id, true))}</div>
        <div className="large-tile">{tile(large)}</div>
      </section>
    );
  }
  const visible = shown(ids, room, call.me, speakers);
  // Alone, one's own picture need not be as large as the screen.
  const best = grid(visible.length, size.width, size.height);
  const hidden = ids.length - visible.length;
  return (
    <section className="stage" ref={ref} aria-label={t("stage.label")}>
      <div
        className="grid"
        style={{
          gridTemplateColumns: `repeat(${best.columns * 2}, ${(best.width_px - 8) / 2}px)`,
          gridAutoRows: `${best.height_px}px`,
        }}
        data-last={visible.length % best.columns}
        ref={(element) => centreLastRow(element, visible.length, best.columns)}
      >
        {visible.map((id) => tile(id))}
      </div>
      {hidden > 0 && <span className="hidden-count">{t("people.more", { count: hidden })}</span>}
    </section>
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
