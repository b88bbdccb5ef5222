/** The meeting window. */
import { X } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { Button } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Devices, Problems } from "../lobby/Devices";
import type { Notice } from "../rtc/call";
import type { Engine } from "../rtc/engine";
import type { LocalMedia } from "../rtc/local";
import { seatCount } from "../rtc/slots";
import { useMatch, useStore } from "../ui/hooks";
import { Button as KitButton, Sheet } from "../ui/kit";
import { changeLanguage, refusalWords } from "../words";
import { ChatPanel } from "./ChatPanel";
import { ControlBar, type PanelName } from "./ControlBar";
import { PeoplePanel } from "./PeoplePanel";
import { memory, showTheme } from "./page";
import { type LayoutName, Stage } from "./Stage";
import { type Line, useNotices } from "./useNotices";
import { KEYS, useShortcuts } from "./useShortcuts";
import { Voices } from "./Voices";

/** A connection that comes back sooner than this is not worth a word. */
const WORTH_SAYING_MS = 1200;

export function Meeting({ engine, local }: { readonly engine: Engine; readonly local: LocalMedia }) {
  const { t } = useTranslation();
  const call = useStore(engine.store);
  const media = useStore(local.store);
  const narrow = useMatch("(max-width: 640px)");
  const [panel, setPanel] = useState<PanelName | null>(null);
  const [layout, setLayout] = useState<LayoutName>("grid");
  const [sheet, setSheet] = useState<"devices" | "shortcuts" | "end" | null>(null);
  const [read, setRead] = useState<number | null>(null);
  const [blocked, setBlocked] = useState(false);
  const [unlocked, setUnlocked] = useState(0);
  const { line, show, dismiss } = useNotices();
  const announced = useRef<HTMLDivElement>(null);
  const panelOpen = useRef(panel);
  panelOpen.current = panel;

  const setMicrophone = useCallback((on: boolean) => local.setOn("microphone", on), [local]);
  const heard = media.microphone.on && media.microphone.track !== null;
  const toggleMicrophone = () => {
    if (media.microphone.problem !== null) setSheet("devices");
    else setMicrophone(!heard);
  };
  const toggleCamera = () => {
    if (media.camera.problem !== null && media.camera.on) setSheet("devices");
    else local.setOn("camera", !(media.camera.on && media.camera.track !== null));
  };
  const togglePanel = (name: PanelName) => setPanel((open) => (open === name ? null : name));
  const copyLink = async () => {
    await navigator.clipboard.writeText(location.origin + location.pathname);
    show({ text: t("notice.linkCopied") });
  };

  useShortcuts((shortcut, pressed) => {
    switch (shortcut) {
      case "microphone":
        return toggleMicrophone();
      case "camera":
        return toggleCamera();
      case "chat":
      case "people":
        return togglePanel(shortcut);
      case "talk":
        return local.setOn("microphone", pressed, false);
      case "help":
        return setSheet((open) => (open === "shortcuts" ? null : "shortcuts"));
      default:
        shortcut satisfies never;
    }
  });

  useEffect(
    () =>
      engine.onNotice((notice) => {
        const words = noticeLine(notice, t, local);
        if (announced.current !== null) announced.current.textContent = words.text;
        if (notice.kind === "said" && panelOpen.current === "chat") return;
        show(words);
      }),
    [engine, local, show, t],
  );

  // Whatever was said before one came in counts as read, and so does all while the chat is open.
  const said = call.state.chat.filter((message) => message.participantId !== call.me).length;
  useEffect(() => {
    if (call.phase === "in" && (read === null || panel === "chat")) setRead(said);
  }, [call.phase, panel, said, read]);
  const unread = Math.max(0, said - (read ?? said));

  const troubled = call.phase === "in" && (!call.linked || call.media === "stalled");
  const [saying, setSaying] = useState(false);
  useEffect(() => {
    if (!troubled) {
      setSaying(false);
      return;
    }
    const timer = setTimeout(() => setSaying(true), WORTH_SAYING_MS);
    return () => clearTimeout(timer);
  }, [troubled]);

  const onBlocked = useCallback(() => setBlocked(true), []);
  const standing: Line | null =
    blocked && call.streams.size > 0
      ? {
          text: t("notice.startAudio"),
          action: {
            label: t("notice.startAudioAction"),
            act: () => {
              setBlocked(false);
              setUnlocked((times) => times + 1);
            },
          },
        }
      : saying
        ? { text: call.linked ? t("notice.moving") : t("notice.reconnecting"), tone: "warning" }
        : null;
  const notice = standing ?? line;
  const alone = call.phase === "in" && call.state.people.length <= 1;
  const host = call.role === "host" || call.role === "cohost";

  return (
    <div className={panel === null ? "meeting" : "meeting with-panel"}>
      <h1 className="visually-hidden">{call.roomTitle}</h1>
      <div ref={announced} className="visually-hidden" aria-live="polite" />
      <div className="notice-place">
        {notice !== null && (
          <div className={`notice ${notice.tone ?? ""}`} role={notice.tone ? "status" : undefined}>
            <span>{notice.text}</span>
            {notice.action && (
              <Button
                className="notice-action"
                onPress={() => {
                  notice.action?.act();
                  dismiss();
                }}
              >
                {notice.action.label}
              </Button>
            )}
            {notice === line && notice.action && (
              <Button className="notice-close" aria-label={t("notice.dismiss")} onPress={dismiss}>
                <X size={16} aria-hidden />
              </Button>
            )}
          </div>
        )}
      </div>
      <main className="meeting-main">
        <Stage call={call} media={media} layout={layout} room={seatCount(window.innerWidth)} />
        {alone && (
          <div className="alone">
            <div>
              <strong>{t("stage.alone")}</strong>
              <span>{t("stage.aloneHint")}</span>
            </div>
            <KitButton onPress={() => void copyLink()}>{t("bar.copyLink")}</KitButton>
          </div>
        )}
      </main>
      {panel !== null && (
        <aside className="panel" aria-label={t(`bar.${panel}`)}>
          <header>
            <h2>
              {t(`${panel}.title`)}
              {panel === "people" && <span className="faint"> {call.state.people.length}</span>}
            </h2>
            <Button className="icon-button" aria-label={t("panel.close")} onPress={() => setPanel(null)}>
              <X size={20} aria-hidden />
            </Button>
          </header>
          {panel === "chat" ? (
            <ChatPanel call={call} onSay={(text) => engine.say(text)} />
          ) : (
            <PeoplePanel
              call={call}
              onMute={(id, muted) => engine.setMuted(id, muted)}
              onInvite={() => void copyLink()}
            />
          )}
        </aside>
      )}
      <ControlBar
        media={media}
        panel={panel}
        layout={layout}
        unread={unread}
        headcount={call.state.people.length}
        host={host}
        onMicrophone={toggleMicrophone}
        onCamera={toggleCamera}
        onPanel={togglePanel}
        onLayout={() => setLayout((now) => (now === "grid" ? "speaker" : "grid"))}
        onDevices={() => setSheet("devices")}
        onShortcuts={() => setSheet("shortcuts")}
        onCopyLink={() => void copyLink()}
        onTheme={(theme) => {
          memory.rememberTheme(theme);
          showTheme(theme);
        }}
        onLanguage={(language) => void changeLanguage(language)}
        onLeave={() => engine.leave()}
        onEnd={() => setSheet("end")}
      />
      <Voices
        streams={call.streams}
        me={call.me}
        speakerId={media.speakerId}
        unlocked={unlocked}
        onBlocked={onBlocked}
      />
      <Sheet title={t("settings.title")} isOpen={sheet === "devices"} onClose={() => setSheet(null)}>
        <Devices local={local} />
        <Problems local={local} />
        <KitButton look="primary" onPress={() => setSheet(null)}>
          {t("settings.done")}
        </KitButton>
      </Sheet>
      <Sheet title={t("shortcuts.title")} isOpen={sheet === "shortcuts" && !narrow} onClose={() => setSheet(null)}>
        <dl className="shortcuts">
          {KEYS.map(({ key, does }) => (
            <div key={does}>
              <dt>{t(`shortcuts.${does}`)}</dt>
              <dd>
                <kbd>{key === " " ? t("shortcuts.space") : key}</kbd>
              </dd>
            </div>
          ))}
        </dl>
      </Sheet>
      <Sheet title={t("confirm.endTitle")} isOpen={sheet === "end"} onClose={() => setSheet(null)} role="alertdialog">
        <p>{t("confirm.endText")}</p>
        <div className="dialog-actions">
          <KitButton onPress={() => setSheet(null)}>{t("confirm.cancel")}</KitButton>
          <KitButton look="danger" onPress={() => engine.endForAll()}>
            {t("confirm.end")}
          </KitButton>
        </div>
      </Sheet>
    </div>
  );
}

function noticeLine(notice: Notice, t: ReturnType<typeof useTranslation>["t"], local: LocalMedia): Line {
  switch (notice.kind) {
    case "joined":
    case "left":
    case "asked":
      return { text: t(`notice.${notice.kind}`, { name: notice.name }) };
    case "muted-by":
      return {
        text: notice.name ? t("notice.muted-by", { name: notice.name }) : t("notice.muted-by-host"),
        action: { label: t("bar.unmute"), act: () => local.setOn("microphone", true) },
        tone: "warning",
      };
    case "camera-off-by":
      return {
        text: notice.name ? t("notice.camera-off-by", { name: notice.name }) : t("notice.camera-off-by-host"),
        tone: "warning",
      };
    case "requested": {
      const kind = notice.what === "unmute" ? "microphone" : "camera";
      const host = notice.name === "";
      return {
        text:
          kind === "microphone"
            ? t(host ? "notice.requested-unmute-host" : "notice.requested-unmute", { name: notice.name })
            : t(host ? "notice.requested-camera-on-host" : "notice.requested-camera-on", { name: notice.name }),
        action: {
          label: kind === "microphone" ? t("bar.unmute") : t("bar.cameraOn"),
          act: () => local.setOn(kind, true),
        },
      };
    }
    case "said":
      return { text: t("notice.said", { name: notice.name, text: notice.text.slice(0, 120) }) };
    case "refused":
      return { text: refusalWords(notice), tone: "problem" };
    default:
      return notice satisfies never;
  }
}
