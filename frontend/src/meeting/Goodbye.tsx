/** After the meeting: what happened, and the one thing to do. */
import { useTranslation } from "react-i18next";
import type { Ending } from "../rtc/call";
import { Button } from "../ui/kit";
import { refusalWords } from "../words";
import type { Refusal } from "./page";

interface GoodbyeProps {
  readonly ending: Ending;
  readonly refusal: Refusal | null;
  readonly onRejoin: () => void;
}

const GONE = new Set(["meeting.over", "ticket.revoked", "room.unknown", "meeting.unknown"]);

export function Goodbye({ ending, refusal, onRejoin }: GoodbyeProps) {
  const { t } = useTranslation();
  const over = ending === "over" || refusal?.code === "meeting.over";
  const title = over ? t("ended.over") : t(`ended.${ending}`);
  const text =
    refusal !== null && !over
      ? refusalWords(refusal)
      : over
        ? t("ended.overText")
        : ending === "removed"
          ? t("ended.removedText")
          : t("ended.leftText");
  const back = ending === "left" || (ending === "refused" && refusal !== null && !GONE.has(refusal.code));
  return (
    <main className="goodbye">
      <h1>{title}</h1>
      <p>{text}</p>
      <div>
        {back ? (
          <Button look="primary large" onPress={onRejoin}>
            {t("ended.rejoin")}
          </Button>
        ) : (
          <a className="button primary large" href="/">
            {t("ended.home")}
          </a>
        )}
      </div>
    </main>
  );
}
