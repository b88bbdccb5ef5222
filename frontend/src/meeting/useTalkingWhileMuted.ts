/** Notices that somebody talks into a muted microphone. */
import { useEffect, useRef } from "react";
import { meter } from "../rtc/level";

/** Louder than a fan, for most of a second: a voice. */
const VOICE = 0.45;
const HEARD_MS = 700;
const SAMPLE_MS = 50;
/** Said once, then not again for this while. */
const QUIET_MS = 60_000;

export function useTalkingWhileMuted(track: MediaStreamTrack | null, muted: boolean, notice: () => void): void {
  const latest = useRef(notice);
  latest.current = notice;
  const saidAt = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    if (track === null || !muted) return;
    // A muted track is silent; its twin, which goes nowhere, is not.
    const twin = track.clone();
    twin.enabled = true;
    let heard_ms = 0;
    const stop = meter(twin, (level) => {
      heard_ms = level >= VOICE ? heard_ms + SAMPLE_MS : Math.max(0, heard_ms - SAMPLE_MS);
      if (heard_ms < HEARD_MS || performance.now() - saidAt.current < QUIET_MS) return;
      saidAt.current = performance.now();
      latest.current();
    });
    return () => {
      stop();
      twin.stop();
    };
  }, [track, muted]);
}
