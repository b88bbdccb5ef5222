/** What hosts do to people and to the meeting, beside the list of people. */
import { Check, EllipsisVertical, Hand, Lock, LockOpen, MicOff, X } from "lucide-react";
import { useState } from "react";
import { Button, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { Person } from "../protocol/generated/meeting";
import type { CallSnapshot, Command } from "../rtc/call";
import { Avatar, Button as KitButton, Sheet } from "../ui/kit";

type Ask = (command: Command) => void;

/** Who asks to come in, first come first. */
export function WaitingList({ call, onAsk }: { readonly call: CallSnapshot; readonly onAsk: Ask }) {
  const { t } = useTranslation();
  if (call.waiting.length === 0) return null;
  return (
    <section className="waiting-list" aria-label={t("people.waitingTitle")}>
      <header>
        <h3>
          {t("people.waitingTitle")} <span className="faint">{call.waiting.length}</span>
        </h3>
        {call.waiting.length > 1 && (
          <KitButton look="small" onPress={() => onAsk({ type: "admit-all" })}>
            {t("people.admitAll")}
          </KitButton>
        )}
      </header>
      <ul className="people">
        {call.waiting.map(({ id, name }) => (
          <li key={id}>
            <Avatar id={id} name={name} />
            <div className="person">
              <span className="person-name">{name}</span>
            </div>
            <Button
              className="icon-button"
              aria-label={t("people.deny", { name })}
              onPress={() => onAsk({ type: "admit", participantId: id, admitted: false })}
            >
              <X size={18} aria-hidden />
            </Button>
            <Button
              className="button small primary"
              aria-label={t("people.admitName", { name })}
              onPress={() => onAsk({ type: "admit", participantId: id, admitted: true })}
            >
              <Check size={16} aria-hidden />
              {t("people.admit")}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface PersonMenuProps {
  readonly person: Person;
  readonly spotlit: boolean;
  /** Whether the one who looks is a host, not a co-host: co-hosts do nothing to hosts. */
  readonly owner: boolean;
  readonly onAsk: Ask;
}

/** What a host may do to one person. */
export function PersonMenu({ person, spotlit, owner, onAsk }: PersonMenuProps) {
  const { t } = useTranslation();
  const [sure, setSure] = useState<"remove" | "ban" | null>(null);
  const { id, name, role } = person;
  const above = role === "host" && !owner;
  const cohost = role === "cohost";
  return (
    <>
      <MenuTrigger>
        <Button className="icon-button" aria-label={t("people.actions", { name })}>
          <EllipsisVertical size={18} aria-hidden />
        </Button>
        <Popover className="popover" placement="bottom end">
          <Menu className="menu">
            <MenuItem
              className="menu-item"
              onAction={() => onAsk({ type: "spotlight", participantId: spotlit ? null : id })}
            >
              {t(spotlit ? "people.endSpotlight" : "people.spotlight")}
            </MenuItem>
            {role !== "host" && (
              <MenuItem
                className="menu-item"
                onAction={() => onAsk({ type: "set-role", participantId: id, role: cohost ? "member" : "cohost" })}
              >
                {t(cohost ? "people.makeMember" : "people.makeCohost")}
              </MenuItem>
            )}
            {!above && (
              <>
                <MenuItem className="menu-item" onAction={() => onAsk({ type: "move-to-lobby", participantId: id })}>
                  {t("people.toLobby")}
                </MenuItem>
                <MenuItem className="menu-item danger" onAction={() => setSure("remove")}>
                  {t("people.remove")}
                </MenuItem>
                <MenuItem className="menu-item danger" onAction={() => setSure("ban")}>
                  {t("people.ban")}
                </MenuItem>
              </>
            )}
          </Menu>
        </Popover>
      </MenuTrigger>
      <Sheet
        title={t(sure === "ban" ? "confirm.banTitle" : "confirm.removeTitle", { name })}
        isOpen={sure !== null}
        onClose={() => setSure(null)}
        role="alertdialog"
      >
        <p>{t(sure === "ban" ? "confirm.banText" : "confirm.removeText")}</p>
        <div className="dialog-actions">
          <KitButton onPress={() => setSure(null)}>{t("confirm.cancel")}</KitButton>
          <KitButton
            look="danger"
            onPress={() => {
              onAsk({ type: "remove", participantId: id, ban: sure === "ban" });
              setSure(null);
            }}
          >
            {t(sure === "ban" ? "people.ban" : "people.remove")}
          </KitButton>
        </div>
      </Sheet>
    </>
  );
}

/** What a host may do to everybody at once. */
export function EverybodyTools({ call, onAsk }: { readonly call: CallSnapshot; readonly onAsk: Ask }) {
  const { t } = useTranslation();
  const { locked, people } = call.state;
  const hands = people.some((person) => typeof person.handRaisedAt === "number");
  return (
    <fieldset className="host-tools">
      <legend className="visually-hidden">{t("people.all")}</legend>
      <KitButton look="small" onPress={() => onAsk({ type: "mute-all" })}>
        <MicOff size={16} aria-hidden />
        {t("people.muteAll")}
      </KitButton>
      {hands && (
        <KitButton look="small" onPress={() => onAsk({ type: "lower-hands" })}>
          <Hand size={16} aria-hidden />
          {t("people.lowerHands")}
        </KitButton>
      )}
      <KitButton look="small" onPress={() => onAsk({ type: "lock", locked: !locked })}>
        {locked ? <LockOpen size={16} aria-hidden /> : <Lock size={16} aria-hidden />}
        {t(locked ? "people.unlock" : "people.lock")}
      </KitButton>
    </fieldset>
  );
}
