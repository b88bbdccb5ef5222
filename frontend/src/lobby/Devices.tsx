/** Choosing microphone, camera and speaker; in the lobby and in the meeting. */
import { Mic, Video, Volume2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { playTestSound } from "../rtc/level";
import type { InputKind, LocalMedia } from "../rtc/local";
import { useLevel, useStore } from "../ui/hooks";
import { Button, Choice, Meter } from "../ui/kit";

export function Devices({ local }: { readonly local: LocalMedia }) {
  const { t } = useTranslation();
  const media = useStore(local.store);
  const level = useLevel(media.microphone.track);
  const [testing, setTesting] = useState(false);
  const test = async () => {
    setTesting(true);
    await playTestSound(media.speakerId);
    setTesting(false);
  };
  return (
    <div className="devices">
      <div className="device">
        <Choice
          label={t("lobby.microphone")}
          icon={<Mic size={18} aria-hidden />}
          options={media.microphones}
          chosen={media.microphone.deviceId}
          empty={t("lobby.noDevice")}
          onChoose={(id) => local.choose("microphone", id)}
        />
        <Meter level={level} label={t("lobby.level")} />
      </div>
      <Choice
        label={t("lobby.camera")}
        icon={<Video size={18} aria-hidden />}
        options={media.cameras}
        chosen={media.camera.deviceId}
        empty={t("lobby.noDevice")}
        onChoose={(id) => local.choose("camera", id)}
      />
      <div className="device speaker">
        <Choice
          label={t("lobby.speaker")}
          icon={<Volume2 size={18} aria-hidden />}
          options={media.speakers.length > 0 ? media.speakers : [{ id: "", label: t("lobby.defaultDevice") }]}
          chosen={media.speakerId}
          empty={t("lobby.defaultDevice")}
          onChoose={(id) => local.chooseSpeaker(id)}
        />
        <Button onPress={test} isDisabled={testing}>
          {testing ? t("lobby.testingSpeaker") : t("lobby.testSpeaker")}
        </Button>
      </div>
    </div>
  );
}

/** Why a device is missing, in plain words, with the one thing to do. */
export function Problems({ local }: { readonly local: LocalMedia }) {
  const { t } = useTranslation();
  const media = useStore(local.store);
  const kinds = (["microphone", "camera"] as const).filter((kind: InputKind) => media[kind].problem !== null);
  if (kinds.length === 0) return null;
  return (
    <ul className="problems">
      {kinds.map((kind) => (
        <li key={kind}>
          <span>
            {t(`device.${kind}.${media[kind].problem}`)} {t("lobby.withoutDevices")}
          </span>
          {media[kind].problem !== "insecure" && (
            <Button look="plain" onPress={() => void local.retry(kind)}>
              {t("lobby.tryAgain")}
            </Button>
          )}
        </li>
      ))}
    </ul>
  );
}
