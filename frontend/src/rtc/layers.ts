/**
 * The sizes in which a camera is sent, and which of them somebody looks at.
 *
 * Each viewer is sent the smallest layer that is at least as tall as their picture of it (the relay chooses), so every
 * layer is needed up to the one that satisfies who looks at it largest.
 */
import type { VideoCodec } from "./codecs";

export interface Layer {
  readonly rid: string;
  readonly scaleResolutionDownBy: number;
  readonly maxBitrate: number;
}

/** What a 1280×720 picture of a person is worth at 30 frames a second in VP8 or H264 baseline. */
const WHOLE_BPS = 2_500_000;

const WHOLE: Layer = { rid: "f", scaleResolutionDownBy: 1, maxBitrate: WHOLE_BPS };

/** Smallest first: it is the one that a browser short of bandwidth keeps. */
export const LAYERS: readonly Layer[] = [
  { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  WHOLE,
];

/** What to offer for a camera. VP9 and AV1 have layers of their own within one encoding. */
export function cameraEncodings(codec: VideoCodec, simulcast: boolean): RTCRtpEncodingParameters[] {
  const layered = simulcast && (codec === "VP8" || codec === "H264");
  return layered ? LAYERS.map((layer) => ({ ...layer })) : [{ maxBitrate: WHOLE_BPS }];
}

/**
 * What to send of what was agreed on, for a camera of `full_px` that is looked at `watched_px` tall; null: not known.
 *
 * Where the answer took no layers, only the first of those offered is left, and it becomes the whole picture.
 */
export function tuned<E extends RTCRtpEncodingParameters>(
  encodings: readonly E[],
  full_px: number,
  watched_px: number | null,
): E[] {
  if (encodings.length <= 1) {
    return encodings.map((encoding) => ({
      ...encoding,
      scaleResolutionDownBy: WHOLE.scaleResolutionDownBy,
      maxBitrate: WHOLE.maxBitrate,
      active: watched_px !== 0,
    }));
  }
  let reached_px = 0;
  return encodings.map((encoding) => {
    const active = watched_px === null || watched_px > reached_px;
    reached_px = Math.floor(full_px / (encoding.scaleResolutionDownBy ?? 1));
    return { ...encoding, active };
  });
}

/** `?simulcast=off` sends one size, for comparison. */
export function simulcastFromQuery(query: string): boolean {
  return new URLSearchParams(query).get("simulcast") !== "off";
}
