/** Lobby, meeting, goodbye. */
import { useCallback, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Lobby } from "../lobby/Lobby";
import type { CallSnapshot } from "../rtc/call";
import { codecFromQuery } from "../rtc/codecs";
import { Engine } from "../rtc/engine";
import { simulcastFromQuery } from "../rtc/layers";
import { LocalMedia } from "../rtc/local";
import { seatCount } from "../rtc/slots";
import { useStore } from "../ui/hooks";
import { Goodbye } from "./Goodbye";
import { Meeting } from "./Meeting";
import { kept, type PageData, type Refusal, socketUrl, type Ticket } from "./page";
import { Waiting } from "./Waiting";

declare global {
  interface Window {
    /** For diagnosis and tests: the running call and everything that the browser counts about it. */
    quorum?: { engine: Engine; stats: () => Promise<Record<string, unknown>> };
  }
}

/** A reload waits this long for the devices, so that others do not see them go off and on. */
const DEVICES_MS = 2000;

type Place =
  | { readonly at: "lobby"; readonly refusal: Refusal | null }
  | { readonly at: "returning" }
  | { readonly at: "call"; readonly engine: Engine };

export function App({ page }: { readonly page: PageData }) {
  const [local, setLocal] = useState(() => new LocalMedia());
  const [place, setPlace] = useState<Place>(() =>
    kept.get(page.slug) === null ? { at: "lobby", refusal: null } : { at: "returning" },
  );

  const enter = useCallback(
    (ticket: Ticket, resumed: boolean) => {
      kept.set(page.slug, ticket);
      const engine = new Engine({
        ticket: ticket.ticket,
        participantId: ticket.participantId,
        role: ticket.role,
        roomTitle: page.title,
        socketUrl: socketUrl(ticket.socketPath),
        seatCount: seatCount(window.innerWidth),
        codec: codecFromQuery(location.search),
        simulcast: simulcastFromQuery(location.search),
        local,
        resumed,
      });
      window.quorum = { engine, stats: () => engine.stats() };
      engine.start();
      setPlace({ at: "call", engine });
    },
    [local, page],
  );

  const started = useRef<LocalMedia | null>(null);
  useEffect(() => {
    if (started.current === local) return;
    started.current = local;
    const ready = local.start();
    const ticket = place.at === "returning" ? kept.get(page.slug) : null;
    if (ticket === null) return;
    const patience = new Promise((resolve) => setTimeout(resolve, DEVICES_MS));
    void Promise.race([ready, patience]).then(() => enter(ticket, true));
  }, [enter, local, page.slug, place.at]);

  const back = useCallback((refusal: Refusal | null = null) => {
    setLocal(new LocalMedia());
    setPlace({ at: "lobby", refusal });
  }, []);

  switch (place.at) {
    case "lobby":
      return <Lobby page={page} local={local} refusal={place.refusal} onTicket={(ticket) => enter(ticket, false)} />;
    case "returning":
      return null;
    case "call":
      return <Call page={page} engine={place.engine} local={local} onBack={back} />;
    default:
      return place satisfies never;
  }
}

interface CallProps {
  readonly page: PageData;
  readonly engine: Engine;
  readonly local: LocalMedia;
  readonly onBack: (refusal?: Refusal | null) => void;
}

function Call({ page, engine, local, onBack }: CallProps) {
  const { t } = useTranslation();
  const call: CallSnapshot = useStore(engine.store);
  const ended = call.phase === "ended";
  useEffect(() => {
    document.title = `${page.title} · ${t("app.name")}`;
  }, [page.title, t]);
  const stale =
    ended && call.ending === "refused" && call.state.sequence === 0 && call.refusal?.code.startsWith("ticket.");
  useEffect(() => {
    if (!ended) return;
    local.close();
    kept.forget(page.slug);
    // A kept ticket that no longer holds: they start from the lobby, which says why.
    if (stale) onBack(call.refusal);
  }, [call.refusal, ended, local, page.slug, stale, onBack]);
  if (stale) return null;
  if (ended) return <Goodbye ending={call.ending ?? "left"} refusal={call.refusal} onRejoin={() => onBack()} />;
  if (call.phase === "waiting") return <Waiting title={call.roomTitle} onLeave={() => engine.leave()} />;
  return <Meeting engine={engine} local={local} />;
}
