/** Before the meeting: the preview is the page. */
import { LoaderCircle, Mic, MicOff, Video, VideoOff } from "lucide-react";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { ToggleButton } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Picture } from "../meeting/Picture";
import { askTicket, memory, type PageData, type Refusal, type Ticket } from "../meeting/page";
import type { LocalMedia } from "../rtc/local";
import { isPassing } from "../rtc/refusals";
import { useStore } from "../ui/hooks";
import { Avatar, Button } from "../ui/kit";
import { refusalWords } from "../words";
import { Devices, Problems } from "./Devices";

const ASK_AGAIN_MS = 2000;

interface LobbyProps {
  readonly page: PageData;
  readonly local: LocalMedia;
  /** Why one is here again. */
  readonly refusal: Refusal | null;
  readonly onTicket: (ticket: Ticket) => void;
}

export function Lobby({ page, local, refusal: sentBack, onTicket }: LobbyProps) {
  const { t } = useTranslation();
  const media = useStore(local.store);
  const [name, setName] = useState(memory.name() || page.name);
  const [phase, setPhase] = useState<"idle" | "asking" | "waiting">("idle");
  const [refusal, setRefusal] = useState<Refusal | null>(sentBack);
  const [passcode, setPasscode] = useState("");
  const [nameMissing, setNameMissing] = useState(false);
  const input = useRef<HTMLInputElement>(null);

  // An answer is followed only if nothing was asked or called off since.
  const turn = useRef(0);
  const inFlight = useRef(0);
  const ask = async () => {
    turn.current += 1;
    const mine = turn.current;
    inFlight.current += 1;
    const found = await askTicket(page.slug, name.trim(), passcode).finally(() => {
      inFlight.current -= 1;
    });
    if (mine !== turn.current) return;
    if ("ticket" in found) {
      onTicket(found);
      return;
    }
    setPhase((now) => {
      // Who already waits goes on waiting through a hiccup.
      const waits = found.code === "meeting.not-started" || (now === "waiting" && isPassing(found.code));
      setRefusal(waits ? null : found);
      return waits ? "waiting" : "idle";
    });
  };

  const again = useRef(ask);
  again.current = ask;
  useEffect(() => {
    if (phase !== "waiting") return;
    const timer = setInterval(() => {
      if (inFlight.current === 0) void again.current();
    }, ASK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [phase]);

  const join = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() === "") {
      setNameMissing(true);
      input.current?.focus();
      return;
    }
    memory.rememberName(name.trim());
    setRefusal(null);
    setPhase("asking");
    void ask();
  };

  const stopWaiting = () => {
    turn.current += 1;
    setPhase("idle");
  };

  const micOn = media.microphone.on && media.microphone.track !== null;
  return (
    <main className="lobby">
      <header className="lobby-header">
        <a className="brand" href="/">
          {t("app.name")}
        </a>
        {!page.signedIn && (
          <a className="button plain" href={`/accounts/login/?next=${encodeURIComponent(location.pathname)}`}>
            {t("lobby.signIn")}
          </a>
        )}
      </header>
      <div className="lobby-body">
        <section className="preview">
          {media.camera.track !== null && media.camera.on ? (
            <Picture track={media.camera.track} mirrored />
          ) : (
            <div className="preview-empty">
              <Avatar id={name} name={name || "?"} large />
              <span>{media.camera.opening ? t("lobby.cameraStarting") : t("lobby.cameraOff")}</span>
            </div>
          )}
          <div className="preview-bar">
            <ToggleButton
              className="round"
              isSelected={!micOn}
              aria-label={micOn ? t("bar.mute") : t("bar.unmute")}
              onChange={() => local.setOn("microphone", !micOn)}
            >
              {micOn ? <Mic aria-hidden /> : <MicOff aria-hidden />}
            </ToggleButton>
            <ToggleButton
              className="round"
              isSelected={!media.camera.on || media.camera.track === null}
              aria-label={media.camera.on ? t("bar.cameraOff") : t("bar.cameraOn")}
              onChange={() => local.setOn("camera", !media.camera.on || media.camera.track === null)}
            >
              {media.camera.on && media.camera.track !== null ? <Video aria-hidden /> : <VideoOff aria-hidden />}
            </ToggleButton>
          </div>
        </section>
        <section className="lobby-side">
          <div>
            <p className="eyebrow">{t("lobby.title")}</p>
            <h1>{page.title}</h1>
          </div>
          <form onSubmit={join} noValidate>
            <div className="field">
              <label htmlFor="name">{t("lobby.name")}</label>
              <input
                id="name"
                ref={input}
                value={name}
                maxLength={80}
                autoComplete="name"
                placeholder={t("lobby.namePlaceholder")}
                aria-invalid={nameMissing}
                aria-describedby={nameMissing ? "name-problem" : undefined}
                onChange={(event) => {
                  setName(event.target.value);
                  setNameMissing(false);
                }}
              />
              {nameMissing && (
                <p id="name-problem" className="problem">
                  {t("lobby.nameMissing")}
                </p>
              )}
            </div>
            {(passcode !== "" || refusal?.code.startsWith("room.passcode")) && (
              <div className="field">
                <label htmlFor="passcode">{t("lobby.passcode")}</label>
                <input
                  id="passcode"
                  type="password"
                  value={passcode}
                  maxLength={64}
                  autoComplete="off"
                  ref={(field) => {
                    if (passcode === "") field?.focus();
                  }}
                  onChange={(event) => setPasscode(event.target.value)}
                />
              </div>
            )}
            <Devices local={local} />
            <Problems local={local} />
            <div aria-live="polite">
              {refusal !== null && <p className="problem">{refusalWords(refusal)}</p>}
              {phase === "waiting" && (
                <div className="waiting">
                  <LoaderCircle className="turning" size={20} aria-hidden />
                  <div>
                    <strong>{t("lobby.waitingTitle")}</strong>
                    <p>{t("lobby.waiting")}</p>
                  </div>
                </div>
              )}
            </div>
            {phase === "waiting" ? (
              <Button look="large" onPress={stopWaiting}>
                {t("lobby.cancel")}
              </Button>
            ) : (
              <Button type="submit" look="primary large" isDisabled={phase === "asking"}>
                {phase === "asking" ? t("lobby.joining") : t("lobby.join")}
              </Button>
            )}
          </form>
        </section>
      </div>
    </main>
  );
}
