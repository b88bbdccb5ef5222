import { Link, Mic, MicOff, VideoOff } from "lucide-react";
import { Button } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { CallSnapshot } from "../rtc/call";
import { Avatar } from "../ui/kit";

interface PeopleProps {
  readonly call: CallSnapshot;
  readonly onMute: (participantId: string, muted: boolean) => void;
  readonly onInvite: () => void;
}

export function PeoplePanel({ call, onMute, onInvite }: PeopleProps) {
  const { t } = useTranslation();
  const host = call.role === "host" || call.role === "cohost";
  const roles = { host: t("people.host"), cohost: t("people.cohost"), guest: t("people.guest"), member: "" };
  return (
    <>
      <ul className="panel-body people">
        {call.state.people.map((person) => {
          const own = person.id === call.me;
          const facts = [own ? t("people.you") : "", roles[person.role]].filter(Boolean).join(" · ");
          return (
            <li key={person.id}>
              <Avatar id={person.id} name={person.name} />
              <div className="person">
                <span className="person-name">{person.name}</span>
                {facts && <span className="person-facts">{facts}</span>}
              </div>
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
            </li>
          );
        })}
      </ul>
      <div className="panel-foot">
        <Button className="button" onPress={onInvite}>
          <Link size={18} aria-hidden />
          {t("people.invite")}
        </Button>
      </div>
    </>
  );
}
