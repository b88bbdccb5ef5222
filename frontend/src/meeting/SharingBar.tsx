/** While one shares a screen: what others see, small, and the way to stop. */
import { MonitorUp } from "lucide-react";
import { Button } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Picture } from "./Picture";

export function SharingBar({ track, onStop }: { readonly track: MediaStreamTrack; readonly onStop: () => void }) {
  const { t } = useTranslation();
  return (
    <section className="sharing-bar" aria-label={t("share.label")}>
      <span className="sharing-preview">
        <Picture track={track} />
      </span>
      <MonitorUp size={18} aria-hidden />
      <span className="sharing-text">{t("share.sharing")}</span>
      <Button className="button danger" onPress={onStop}>
        {t("share.stop")}
      </Button>
    </section>
  );
}
