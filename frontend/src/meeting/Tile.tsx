/** One person: picture or initials, name, quiet marks. */
import { MicOff, SignalLow, SignalMedium } from "lucide-react";
import { Button, Dialog, DialogTrigger, Popover } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { Person } from "../protocol/generated/meeting";
import type { Quality } from "../rtc/quality";
import { Avatar } from "../ui/kit";
import { Picture } from "./Picture";

/** Loss that a person begins to hear, and loss that a person complains about. */
const POOR_PERCENT = 3;
const BAD_PERCENT = 10;

export interface TileProps {
  readonly person: Person;
  readonly own: boolean;
  readonly picture: MediaStreamTrack | null;
  readonly speaking: boolean;
  readonly frozen: boolean;
  readonly quality: Quality | undefined;
  readonly small?: boolean;
}

export function Tile({ person, own, picture, speaking, frozen, quality, small = false }: TileProps) {
  const { t } = useTranslation();
  const name = own ? t("stage.you", { name: person.name }) : person.name;
  const looks = ["tile", speaking && !person.muted && "speaking", frozen && "frozen", small && "small"];
  return (
    <article className={looks.filter(Boolean).join(" ")} aria-label={name} data-participant={person.id}>
      {picture !== null && person.cameraOn ? (
        <Picture track={picture} mirrored={own} />
      ) : (
        <Avatar id={person.id} name={person.name} large={!small} />
      )}
      {frozen && <span className="tile-state">{t("stage.reconnectingTile")}</span>}
      <footer>
        {person.muted && <MicOff size={14} aria-label={t("people.muted")} className="muted-mark" />}
        <span className="tile-name">{name}</span>
        {!own && quality !== undefined && quality.lossPercent >= POOR_PERCENT && <QualityMark quality={quality} />}
      </footer>
    </article>
  );
}

function QualityMark({ quality }: { readonly quality: Quality }) {
  const { t } = useTranslation();
  const Icon = quality.lossPercent >= BAD_PERCENT ? SignalLow : SignalMedium;
  return (
    <DialogTrigger>
      <Button className="quality-mark" aria-label={t("stage.quality")}>
        <Icon size={14} aria-hidden />
      </Button>
      <Popover className="popover" offset={8}>
        <Dialog className="quality" aria-label={t("stage.quality")}>
          <dl>
            <dt>{t("stage.receiving")}</dt>
            <dd>{(quality.bps / 1000).toFixed(0)} kbit/s</dd>
            <dt>{t("stage.loss")}</dt>
            <dd>{quality.lossPercent.toFixed(1)} %</dd>
            <dt>{t("stage.picture")}</dt>
            <dd>
              {quality.height_px > 0
                ? `${quality.width_px} × ${quality.height_px}, ${quality.fps.toFixed(0)} fps`
                : t("stage.nothing")}
            </dd>
          </dl>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
