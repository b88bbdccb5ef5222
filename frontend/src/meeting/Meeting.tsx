/** The meeting window. */
import { X } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { Button } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Devices, Problems } from "../lobby/Devices";
import type { View } from "../protocol/generated/meeting";
import type { Command } from "../rtc/call";
import type { Engine } from "../rtc/engine";
import type { LocalMedia } from "../rtc/local";
import { tileCount, type UnitKey } from "../rtc/slots";
import { useMatch, useStore } from "../ui/hooks";
import { Button as KitButton, Sheet } from "../ui/kit";
import { changeLanguage } from "../words";
import { ChatPanel } from "./ChatPanel";
import { ControlBar, type PanelName } from "./ControlBar";
import { noticeLine } from "./notices";
import { PeoplePanel } from "./PeoplePanel";
import { memory, showTheme } from "./page";
import { Reactions } from "./Reactions";
import { SharingBar } from "./SharingBar";
import { type LayoutName, Stage } from "./Stage";
import { type Line, useNotices } from "./useNotices";
import { KEYS, useShortcuts } from "./useShortcuts";
import { useTalkingWhileMuted } from "./useTalkingWhileMuted";
import { Voices } from "./Voices";

/** A connection that comes back sooner than this is not worth a word. */
const WORTH_SAYING_MS = 1200;

const SIGNS: Readonly<Record<string, string>> = { ArrowLeft: "←", ArrowRight: "→" };

export function Meeting({ engine, local }: { readonly engine: Engine; readonly local: LocalMedia }) {
  const { t } = useTranslation();
  const call = useStore(engine.store);
  const media = useStore(local.store);
  const screen = useStore(local.screen.store);
  const narrow = useMatch("(max-width: 640px)");
  const [panel, setPanel] = useState<PanelName | null>(null);
  const [layout, setLayout] = useState<LayoutName>("grid");
  const [sheet, setSheet] = useState<"devices" | "shortcuts" | "end" | null>(null);
  const [read, setRead] = useState<number | null>(null);
  const [blocked, setBlocked] = useState(false);
  const [unlocked, setUnlocked] = useState(0);
  const [page, setPage] = useState(0);
  const [pinned, setPinned] = useState<UnitKey | null>(null);
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
  const handUp = typeof call.state.people.find((person) => person.id === call.me)?.handRaisedAt === "number";
  const toggleHand = () => engine.setHand(call.me, !handUp);
  const toggleShare = async () => {
    if (screen.video !== null) local.screen.stop();
    else if (!local.screen.possible || (await local.screen.start()) === "refused")
      show({ text: t("share.refused"), tone: "problem" });
  };
  useTalkingWhileMuted(media.microphone.track, call.phase === "in" && !media.microphone.on, () =>
    show({
      text: t("notice.talkingMuted"),
      action: { label: t("bar.unmute"), act: () => setMicrophone(true) },
    }),
  );
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
      case "hand":
        return toggleHand();
      case "share":
        return void toggleShare();
      case "nextPage":
        return setPage((now) => now + 1);
      case "previousPage":
        return setPage((now) => Math.max(0, now - 1));
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
  const ask = useCallback((command: Command) => engine.ask(command), [engine]);
  const onShow = useCallback((views: readonly View[]) => engine.show(views), [engine]);

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
        {screen.video !== null && <SharingBar track={screen.video} onStop={() => local.screen.stop()} />}
        <Stage
          call={call}
          media={media}
          layout={layout}
          room={tileCount(window.innerWidth)}
          page={page}
          pinned={pinned ?? call.state.spotlight ?? null}
          host={host}
          onPage={setPage}
          onShow={onShow}
          onPin={setPinned}
          onMute={(id, muted) => engine.setMuted(id, muted)}
          onLowerHand={(id) => engine.setHand(id, false)}
          onEndScreen={(id) => engine.endScreen(id)}
        />
        <Reactions call={call} />
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
              onLowerHand={(id) => engine.setHand(id, false)}
              onInvite={() => void copyLink()}
              onAsk={ask}
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
        knocking={call.waiting.length}
        host={host}
        sharing={screen.video !== null}
        canShare={local.screen.possible}
        handUp={handUp}
        onShare={() => void toggleShare()}
        onHand={toggleHand}
        onReact={(reaction) => ask({ type: "react", reaction })}
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
                <kbd>{key === " " ? t("shortcuts.space") : (SIGNS[key] ?? key)}</kbd>
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
