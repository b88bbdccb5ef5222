/** Signs that pass: who showed one floats up for some seconds. */
import { useTranslation } from "react-i18next";
import type { React as Sign } from "../protocol/generated/meeting";
import type { CallSnapshot } from "../rtc/call";

export const SIGNS: readonly Sign["reaction"][] = ["👍", "👏", "❤️", "😂", "😮", "🎉"];

export function Reactions({ call }: { readonly call: CallSnapshot }) {
  const { t } = useTranslation();
  if (call.reactions.length === 0) return null;
  return (
    <ul className="reactions" aria-label={t("bar.reactions")}>
      {call.reactions.map(({ id, participantId, reaction }) => (
        <li key={id}>
          <span aria-hidden>{reaction}</span>
          {call.state.people.find((person) => person.id === participantId)?.name}
        </li>
      ))}
    </ul>
  );
}
