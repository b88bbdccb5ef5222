/** One person, or their screen: picture or initials, name, quiet marks, and what can be done about them. */
import {
  EllipsisVertical,
  Hand,
  Mic,
  MicOff,
  MonitorUp,
  MonitorX,
  Pin,
  PinOff,
  SignalHigh,
  SignalLow,
  SignalMedium,
} from "lucide-react";
import { Button, Dialog, DialogTrigger, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { Person } from "../protocol/generated/meeting";
import type { Quality } from "../rtc/quality";
import { type UnitKey, unitKey } from "../rtc/slots";
import { Avatar } from "../ui/kit";
import { Picture } from "./Picture";

/** Loss that a person begins to hear, and loss that a person complains about. */
const POOR_PERCENT = 3;
const BAD_PERCENT = 10;

export interface TileActions {
  readonly pinned: boolean;
  readonly host: boolean;
  readonly onPin: (key: UnitKey | null) => void;
  readonly onMute: (participantId: string, muted: boolean) => void;
  readonly onLowerHand: (participantId: string) => void;
  readonly onEndScreen: (participantId: string) => void;
}

export interface TileProps extends TileActions {
  readonly person: Person;
  readonly screen: boolean;
  readonly own: boolean;
  readonly muted: boolean;
  readonly picture: MediaStreamTrack | null;
  readonly speaking: boolean;
  readonly frozen: boolean;
  readonly quality: Quality | undefined;
  /** The place among raised hands, from 1; 0: not raised. */
  readonly hand: number;
  readonly small: boolean;
}

export function Tile(props: TileProps) {
  const { t } = useTranslation();
  const { person, screen, own, picture, frozen, quality, hand, small } = props;
  const whose = screen ? "stage.screenOf" : "stage.you";
  const name = own || screen ? t(whose, { name: person.name }) : person.name;
  const looks = ["tile", props.speaking && "speaking", frozen && "frozen", small && "small", screen && "screen"];
  return (
    <article
      className={looks.filter(Boolean).join(" ")}
      aria-label={name}
      data-participant={person.id}
      data-screen={screen || undefined}
    >
      {/* Beneath the picture, until its first frame is there. */}
      {screen && <MonitorUp size={small ? 28 : 48} aria-hidden />}
      {picture !== null && <Picture track={picture} mirrored={own} />}
      {picture === null && !screen && <Avatar id={person.id} name={person.name} large={!small} />}
      {frozen && <span className="tile-state">{t("stage.reconnectingTile")}</span>}
      {hand > 0 && (
        <span className="hand-mark" role="img" aria-label={t("people.handAt", { place: hand })}>
          <Hand size={14} aria-hidden />
          {hand}
        </span>
      )}
      <TileMenu {...props} />
      <footer>
        {props.pinned && <Pin size={14} aria-label={t("tile.pinned")} />}
        {screen && <MonitorUp size={14} aria-hidden />}
        {!screen && props.muted && <MicOff size={14} aria-label={t("people.muted")} className="muted-mark" />}
        <span className="tile-name">{name}</span>
        {!own && quality !== undefined && <QualityMark quality={quality} />}
      </footer>
    </article>
  );
}

function TileMenu({ person, screen, own, muted, hand, pinned, host, ...on }: TileProps) {
  const { t } = useTranslation();
  const { name, id } = person;
  return (
    <MenuTrigger>
      <Button className="tile-more" aria-label={t("tile.more", { name })}>
        <EllipsisVertical size={18} aria-hidden />
      </Button>
      <Popover className="popover" placement="bottom end" offset={4}>
        <Menu className="menu">
          <MenuItem className="menu-item" onAction={() => on.onPin(pinned ? null : unitKey(id, screen))}>
            {pinned ? <PinOff size={18} aria-hidden /> : <Pin size={18} aria-hidden />}
            {t(pinned ? "tile.unpin" : "tile.pin")}
          </MenuItem>
          {host && !own && !screen && (
            <MenuItem className="menu-item" onAction={() => on.onMute(id, !muted)}>
              {muted ? <Mic size={18} aria-hidden /> : <MicOff size={18} aria-hidden />}
              {t(muted ? "people.askUnmute" : "people.mute", { name })}
            </MenuItem>
          )}
          {(host || own) && hand > 0 && (
            <MenuItem className="menu-item" onAction={() => on.onLowerHand(id)}>
              <Hand size={18} aria-hidden />
              {t("people.lowerHand", { name })}
            </MenuItem>
          )}
          {host && screen && !own && (
            <MenuItem className="menu-item danger" onAction={() => on.onEndScreen(id)}>
              <MonitorX size={18} aria-hidden />
              {t("tile.endScreen")}
            </MenuItem>
          )}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

function QualityMark({ quality }: { readonly quality: Quality }) {
  const { t } = useTranslation();
  const { lossPercent } = quality;
  const Icon = lossPercent >= BAD_PERCENT ? SignalLow : lossPercent >= POOR_PERCENT ? SignalMedium : SignalHigh;
  return (
    <DialogTrigger>
      <Button
        className={lossPercent >= POOR_PERCENT ? "quality-mark poor" : "quality-mark"}
        aria-label={t("stage.quality")}
      >
        <Icon size={14} aria-hidden />
      </Button>
      <Popover className="popover" offset={8}>
        <Dialog className="quality" aria-label={t("stage.quality")}>
          <dl>
            <dt>{t("stage.receiving")}</dt>
            <dd>{(quality.bps / 1000).toFixed(0)} kbit/s</dd>
            <dt>{t("stage.loss")}</dt>
            <dd>{lossPercent.toFixed(1)} %</dd>
            <dt>{t("stage.picture")}</dt>
            <dd>
              {quality.height_px > 0
                ? `${quality.width_px} × ${quality.height_px}, ${quality.fps.toFixed(0)} fps`
                : t("stage.nothing")}
            </dd>
            <dt>{t("stage.codec")}</dt>
            <dd>{quality.codec || "–"}</dd>
          </dl>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
