/** Outside, until a host lets one in: nothing to do but know that. */
import { LoaderCircle } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "../ui/kit";

export function Waiting({ title, onLeave }: { readonly title: string; readonly onLeave: () => void }) {
  const { t } = useTranslation();
  return (
    <main className="goodbye" aria-live="polite">
      <p className="eyebrow">{title}</p>
      <LoaderCircle className="turning" size={28} aria-hidden />
      <h1>{t("waiting.title")}</h1>
      <p>{t("waiting.text")}</p>
      <div>
        <Button look="large" onPress={onLeave}>
          {t("waiting.leave")}
        </Button>
      </div>
    </main>
  );
}
