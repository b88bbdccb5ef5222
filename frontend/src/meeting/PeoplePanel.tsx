import { Hand, Link, Mic, MicOff, MonitorUp, VideoOff } from "lucide-react";
import { Button } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { CallSnapshot, Command } from "../rtc/call";
import { Avatar } from "../ui/kit";
import { EverybodyTools, PersonMenu, WaitingList } from "./HostTools";
import { handOrder, listed } from "./people";

interface PeopleProps {
  readonly call: CallSnapshot;
  readonly onMute: (participantId: string, muted: boolean) => void;
  readonly onLowerHand: (participantId: string) => void;
  readonly onInvite: () => void;
  readonly onAsk: (command: Command) => void;
}

export function PeoplePanel({ call, onMute, onLowerHand, onInvite, onAsk }: PeopleProps) {
  const { t } = useTranslation();
  const host = call.role === "host" || call.role === "cohost";
  const hands = handOrder(call.state.people);
  const roles = { host: t("people.host"), cohost: t("people.cohost"), guest: t("people.guest"), member: "" };
  return (
    <>
      <div className="panel-body">
        {host && <WaitingList call={call} onAsk={onAsk} />}
        <ul className="people">
          {listed(call.state.people).map((person) => {
            const own = person.id === call.me;
            const place = hands.get(person.id);
            const facts = [own ? t("people.you") : "", roles[person.role]].filter(Boolean).join(" · ");
            return (
              <li key={person.id}>
                <Avatar id={person.id} name={person.name} />
                <div className="person">
                  <span className="person-name">{person.name}</span>
                  {facts && <span className="person-facts">{facts}</span>}
                </div>
                {place !== undefined &&
                  (host || own ? (
                    <Button
                      className="icon-button hand-button"
                      aria-label={t("people.lowerHand", { name: person.name })}
                      onPress={() => onLowerHand(person.id)}
                    >
                      <Hand size={16} aria-hidden />
                      {place}
                    </Button>
                  ) : (
                    <span className="hand-place" role="img" aria-label={t("people.handAt", { place })}>
                      <Hand size={16} aria-hidden />
                      {place}
                    </span>
                  ))}
                {person.sharing && <MonitorUp size={18} aria-label={t("people.sharing")} className="sharing-mark" />}
                {!person.cameraOn && <VideoOff size={18} aria-label={t("people.cameraOff")} className="faint" />}
                {host && !own ? (
                  <Button
                    className={person.muted ? "icon-button muted" : "icon-button"}
                    aria-label={t(person.muted ? "people.askUnmute" : "people.mute", { name: person.name })}
                    onPress={() => onMute(person.id, !person.muted)}
                  >
                    {person.muted ? <MicOff size={18} aria-hidden /> : <Mic size={18} aria-hidden />}
                  </Button>
                ) : (
                  person.muted && <MicOff size={18} aria-label={t("people.muted")} className="muted-mark" />
                )}
                {host && !own && (
                  <PersonMenu
                    person={person}
                    spotlit={call.state.spotlight === person.id}
                    owner={call.role === "host"}
                    onAsk={onAsk}
                  />
                )}
              </li>
            );
          })}
        </ul>
      </div>
      <div className="panel-foot">
        {host && <EverybodyTools call={call} onAsk={onAsk} />}
        <Button className="button" onPress={onInvite}>
          <Link size={18} aria-hidden />
          {t("people.invite")}
        </Button>
      </div>
    </>
  );
}
