/** What happened, as one line at the top. */
import type { TFunction } from "i18next";
import type { Notice } from "../rtc/call";
import type { LocalMedia } from "../rtc/local";
import { refusalWords } from "../words";
import type { Line } from "./useNotices";

export function noticeLine(notice: Notice, t: TFunction, local: LocalMedia): Line {
  switch (notice.kind) {
    case "joined":
    case "left":
    case "asked":
    case "shared":
    case "hand":
    case "spotlit":
      return { text: t(`notice.${notice.kind}`, { name: notice.name }) };
    case "muted-by":
      return {
        text: notice.name ? t("notice.muted-by", { name: notice.name }) : t("notice.muted-by-host"),
        action: { label: t("bar.unmute"), act: () => local.setOn("microphone", true) },
        tone: "warning",
      };
    case "camera-off-by":
      return {
        text: notice.name ? t("notice.camera-off-by", { name: notice.name }) : t("notice.camera-off-by-host"),
        tone: "warning",
      };
    case "screen-off-by":
      return {
        text: notice.name ? t("notice.screen-off-by", { name: notice.name }) : t("notice.screen-off-by-host"),
        tone: "warning",
      };
    case "hand-lowered-by":
      return {
        text: notice.name ? t("notice.hand-lowered-by", { name: notice.name }) : t("notice.hand-lowered-by-host"),
      };
    case "knocked":
      return { text: t("notice.knocked", { name: notice.name }), tone: "warning" };
    case "locked":
    case "unlocked":
      return { text: t(`notice.${notice.kind}`) };
    case "role":
      return { text: t(`notice.role-${notice.role}`) };
    case "moved":
      return { text: t("notice.moved") };
    case "requested": {
      const kind = notice.what === "unmute" ? "microphone" : "camera";
      const host = notice.name === "";
      return {
        text:
          kind === "microphone"
            ? t(host ? "notice.requested-unmute-host" : "notice.requested-unmute", { name: notice.name })
            : t(host ? "notice.requested-camera-on-host" : "notice.requested-camera-on", { name: notice.name }),
        action: {
          label: kind === "microphone" ? t("bar.unmute") : t("bar.cameraOn"),
          act: () => local.setOn(kind, true),
        },
      };
    }
    case "said":
      return { text: t("notice.said", { name: notice.name, text: notice.text.slice(0, 120) }) };
    case "refused":
      return { text: refusalWords(notice), tone: "problem" };
    default:
      return notice satisfies never;
  }
}
