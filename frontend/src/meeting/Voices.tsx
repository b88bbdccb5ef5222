/** Everybody's sound, whoever is on screen, through the chosen speaker. */
import { useEffect, useRef } from "react";

interface VoicesProps {
  readonly streams: ReadonlyMap<string, MediaStream>;
  readonly me: string;
  readonly speakerId: string | null;
  /** Rises when the person asked for sound: play again what the browser held back. */
  readonly unlocked: number;
  readonly onBlocked: () => void;
}

export function Voices({ streams, me, ...rest }: VoicesProps) {
  return (
    <div hidden>
      {[...streams]
        .filter(([id]) => id !== me)
        .map(([id, stream]) => (
          <Voice key={id} stream={stream} {...rest} />
        ))}
    </div>
  );
}

interface VoiceProps {
  readonly stream: MediaStream;
  readonly speakerId: string | null;
  readonly unlocked: number;
  readonly onBlocked: () => void;
}

function Voice({ stream, speakerId, unlocked, onBlocked }: VoiceProps) {
  const ref = useRef<HTMLAudioElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `unlocked` asks for another try
  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    if (element.srcObject !== stream) element.srcObject = stream;
    element.play().catch((error: unknown) => {
      // AbortError: another stream took its place meanwhile.
      if (error instanceof DOMException && error.name === "NotAllowedError") onBlocked();
      else if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
    });
  }, [stream, unlocked, onBlocked]);
  useEffect(() => {
    const element = ref.current;
    if (element === null || !speakerId || !("setSinkId" in element)) return;
    element.setSinkId(speakerId).catch((error: unknown) => {
      // NotFoundError: the remembered speaker is not plugged in; the default one plays.
      if (!(error instanceof DOMException)) throw error;
    });
  }, [speakerId]);
  // biome-ignore lint/a11y/useMediaCaption: live voices have no captions
  return <audio ref={ref} autoPlay />;
}
