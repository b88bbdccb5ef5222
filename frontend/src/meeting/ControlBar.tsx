/** Everything within thumb's reach. */
import {
  ChevronRight,
  EllipsisVertical,
  Grid2x2,
  Hand,
  Keyboard,
  Languages,
  Link,
  LogOut,
  MessageSquare,
  Mic,
  MicOff,
  MonitorUp,
  MonitorX,
  Palette,
  PhoneOff,
  Settings2,
  SmilePlus,
  SquareUser,
  Users,
  Video,
  VideoOff,
} from "lucide-react";
import type { ReactNode } from "react";
import { Button, Menu, MenuItem, MenuTrigger, Popover, SubmenuTrigger } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { React as Sign } from "../protocol/generated/meeting";
import type { LocalSnapshot } from "../rtc/local";
import type { Theme } from "./page";
import { SIGNS } from "./Reactions";
import type { LayoutName } from "./Stage";

export type PanelName = "chat" | "people";

interface BarProps {
  readonly media: LocalSnapshot;
  readonly panel: PanelName | null;
  readonly layout: LayoutName;
  readonly unread: number;
  readonly headcount: number;
  /** How many wait to be let in. */
  readonly knocking: number;
  readonly host: boolean;
  readonly sharing: boolean;
  /** Phones cannot share a screen. */
  readonly canShare: boolean;
  readonly handUp: boolean;
  readonly onShare: () => void;
  readonly onHand: () => void;
  readonly onReact: (reaction: Sign["reaction"]) => void;
  readonly onMicrophone: () => void;
  readonly onCamera: () => void;
  readonly onPanel: (panel: PanelName) => void;
  readonly onLayout: () => void;
  readonly onDevices: () => void;
  readonly onShortcuts: () => void;
  readonly onCopyLink: () => void;
  readonly onTheme: (theme: Theme) => void;
  readonly onLanguage: (language: "en" | "zh") => void;
  readonly onLeave: () => void;
  readonly onEnd: () => void;
}

export function ControlBar(props: BarProps) {
  const { t } = useTranslation();
  const { media } = props;
  const heard = media.microphone.on && media.microphone.track !== null;
  const seen = media.camera.on && media.camera.track !== null;
  const grid = props.layout === "grid";
  return (
    <div className="bar" role="toolbar" aria-label={t("bar.label")}>
      <Control
        name="microphone"
        label={media.microphone.problem !== null ? t("bar.noMicrophone") : heard ? t("bar.mute") : t("bar.unmute")}
        look={heard ? "" : "off"}
        onPress={props.onMicrophone}
      >
        {heard ? <Mic aria-hidden /> : <MicOff aria-hidden />}
      </Control>
      <Control
        name="camera"
        label={media.camera.problem !== null ? t("bar.noCamera") : seen ? t("bar.cameraOff") : t("bar.cameraOn")}
        look={seen ? "" : "off"}
        onPress={props.onCamera}
      >
        {seen ? <Video aria-hidden /> : <VideoOff aria-hidden />}
      </Control>
      {props.canShare && (
        <Control
          name="share"
          label={t(props.sharing ? "bar.stopShare" : "bar.share")}
          look={props.sharing ? "open wide-only" : "wide-only"}
          onPress={props.onShare}
        >
          {props.sharing ? <MonitorX aria-hidden /> : <MonitorUp aria-hidden />}
        </Control>
      )}
      <Control
        name="hand"
        label={t(props.handUp ? "bar.lowerHand" : "bar.raiseHand")}
        look={props.handUp ? "open" : ""}
        onPress={props.onHand}
      >
        <Hand aria-hidden />
      </Control>
      <MenuTrigger>
        <Control name="react" label={t("bar.react")} look="wide-only">
          <SmilePlus aria-hidden />
        </Control>
        <Popover className="popover" placement="top" offset={10}>
          <Signs onReact={props.onReact} />
        </Popover>
      </MenuTrigger>
      <Control
        name="chat"
        label={t("bar.chat")}
        look={props.panel === "chat" ? "open" : ""}
        onPress={() => props.onPanel("chat")}
        badge={props.unread}
        badgeLabel={t("chat.unread", { count: props.unread })}
      >
        <MessageSquare aria-hidden />
      </Control>
      <Control
        name="people"
        label={t("bar.people")}
        look={props.panel === "people" ? "open" : ""}
        onPress={() => props.onPanel("people")}
        count={props.headcount}
        badge={props.knocking}
        badgeLabel={t("people.waitingTitle")}
      >
        <Users aria-hidden />
      </Control>
      <Control name="layout" label={grid ? t("bar.speaker") : t("bar.grid")} look="wide-only" onPress={props.onLayout}>
        {grid ? <SquareUser aria-hidden /> : <Grid2x2 aria-hidden />}
      </Control>
      <MenuTrigger>
        <Control name="more" label={t("bar.more")}>
          <EllipsisVertical aria-hidden />
        </Control>
        <Popover className="popover" placement="top" offset={10}>
          <Menu className="menu">
            <MenuItem className="menu-item narrow-only" onAction={props.onLayout}>
              {grid ? <SquareUser size={18} aria-hidden /> : <Grid2x2 size={18} aria-hidden />}
              {grid ? t("bar.speaker") : t("bar.grid")}
            </MenuItem>
            {props.canShare && (
              <MenuItem className="menu-item narrow-only" onAction={props.onShare}>
                {props.sharing ? <MonitorX size={18} aria-hidden /> : <MonitorUp size={18} aria-hidden />}
                {t(props.sharing ? "bar.stopShare" : "bar.share")}
              </MenuItem>
            )}
            <SubmenuTrigger>
              <MenuItem className="menu-item narrow-only">
                <SmilePlus size={18} aria-hidden />
                {t("bar.react")}
                <ChevronRight size={16} className="submenu-mark" aria-hidden />
              </MenuItem>
              <Popover className="popover">
                <Signs onReact={props.onReact} />
              </Popover>
            </SubmenuTrigger>
            <MenuItem className="menu-item" onAction={props.onDevices}>
              <Settings2 size={18} aria-hidden />
              {t("bar.deviceSettings")}
            </MenuItem>
            <MenuItem className="menu-item" onAction={props.onCopyLink}>
              <Link size={18} aria-hidden />
              {t("bar.copyLink")}
            </MenuItem>
            <SubmenuTrigger>
              <MenuItem className="menu-item">
                <Languages size={18} aria-hidden />
                {t("bar.language")}
                <ChevronRight size={16} className="submenu-mark" aria-hidden />
              </MenuItem>
              <Popover className="popover">
                <Menu className="menu" onAction={(key) => props.onLanguage(key === "zh" ? "zh" : "en")}>
                  <MenuItem id="en" className="menu-item" lang="en">
                    English
                  </MenuItem>
                  <MenuItem id="zh" className="menu-item" lang="zh-Hans">
                    简体中文
                  </MenuItem>
                </Menu>
              </Popover>
            </SubmenuTrigger>
            <SubmenuTrigger>
              <MenuItem className="menu-item">
                <Palette size={18} aria-hidden />
                {t("bar.theme")}
                <ChevronRight size={16} className="submenu-mark" aria-hidden />
              </MenuItem>
              <Popover className="popover">
                <Menu className="menu" onAction={(key) => props.onTheme(key as Theme)}>
                  {(["dark", "light", "system"] as const).map((theme) => (
                    <MenuItem key={theme} id={theme} className="menu-item">
                      {t(`theme.${theme}`)}
                    </MenuItem>
                  ))}
                </Menu>
              </Popover>
            </SubmenuTrigger>
            <MenuItem className="menu-item wide-only" onAction={props.onShortcuts}>
              <Keyboard size={18} aria-hidden />
              {t("bar.shortcuts")}
            </MenuItem>
          </Menu>
        </Popover>
      </MenuTrigger>
      {props.host ? (
        <MenuTrigger>
          <Control name="leave" label={t("bar.leave")} look="leave">
            <PhoneOff aria-hidden />
          </Control>
          <Popover className="popover" placement="top end" offset={10}>
            <Menu className="menu">
              <MenuItem className="menu-item" onAction={props.onLeave}>
                <LogOut size={18} aria-hidden />
                {t("bar.leaveOnly")}
              </MenuItem>
              <MenuItem className="menu-item danger" onAction={props.onEnd}>
                <PhoneOff size={18} aria-hidden />
                {t("bar.endForAll")}
              </MenuItem>
            </Menu>
          </Popover>
        </MenuTrigger>
      ) : (
        <Control name="leave" label={t("bar.leave")} look="leave" onPress={props.onLeave}>
          <PhoneOff aria-hidden />
        </Control>
      )}
    </div>
  );
}

function Signs({ onReact }: { readonly onReact: (reaction: Sign["reaction"]) => void }) {
  const { t } = useTranslation();
  return (
    <Menu className="menu signs" aria-label={t("bar.reactions")}>
      {SIGNS.map((sign) => (
        <MenuItem key={sign} className="menu-item" textValue={sign} onAction={() => onReact(sign)}>
          {sign}
        </MenuItem>
      ))}
    </Menu>
  );
}

interface ControlProps {
  readonly name: string;
  readonly label: string;
  readonly look?: string;
  readonly badge?: number;
  readonly badgeLabel?: string;
  readonly count?: number;
  readonly onPress?: () => void;
  readonly children: ReactNode;
}

function Control({ name, label, look = "", badge = 0, badgeLabel, count, onPress, children }: ControlProps) {
  return (
    <Button className={`control ${look}`} data-control={name} {...(onPress ? { onPress } : {})}>
      <span className="control-icon">
        {children}
        {badge > 0 && (
          <span className="badge">
            {badge > 9 ? "9+" : badge}
            <span className="visually-hidden">{badgeLabel}</span>
          </span>
        )}
        {count !== undefined && <span className="count">{count}</span>}
      </span>
      <span className="control-label">{label}</span>
    </Button>
  );
}
