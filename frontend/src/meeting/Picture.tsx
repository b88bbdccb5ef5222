/** Moving pictures only; sound is played once for everybody by `Voices`. */
import { useEffect, useMemo, useRef } from "react";

export function Picture({
  track,
  mirrored = false,
}: {
  readonly track: MediaStreamTrack;
  readonly mirrored?: boolean;
}) {
  const ref = useRef<HTMLVideoElement>(null);
  const stream = useMemo(() => new MediaStream([track]), [track]);
  useEffect(() => {
    if (ref.current !== null && ref.current.srcObject !== stream) ref.current.srcObject = stream;
  }, [stream]);
  return (
    <video ref={ref} className={mirrored ? "picture mirrored" : "picture"} autoPlay playsInline muted aria-hidden />
  );
}
