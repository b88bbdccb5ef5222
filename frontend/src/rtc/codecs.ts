/** Which codecs are offered, and in which order: few, so that the SDP of many slots stays small. */

export const VIDEO_CODECS = ["VP8", "H264", "VP9", "AV1"] as const;
export type VideoCodec = (typeof VIDEO_CODECS)[number];

/** The part of RTCRtpCodec that decides. */
export interface Codec {
  readonly mimeType: string;
  readonly sdpFmtpLine?: string;
}

/**
 * The variants that every browser reads: H264 constrained baseline, level 3.1, packetization mode 1; profile 0 of VP9
 * and AV1.
 */
function isOurs(codec: Codec, name: VideoCodec): boolean {
  if (codec.mimeType.toLowerCase() !== `video/${name.toLowerCase()}`) return false;
  const line = codec.sdpFmtpLine ?? "";
  switch (name) {
    case "VP8":
      return true;
    case "H264":
      return /packetization-mode=1/.test(line) && /profile-level-id=42e01f/i.test(line);
    case "VP9":
      return !/profile-id=[1-9]/.test(line);
    case "AV1":
      return !/profile=[1-9]/.test(line);
    default:
      return name satisfies never;
  }
}

/** For what is sent: `first`, else what every browser reads. */
export function sent<C extends Codec>(offered: readonly C[], kind: "audio" | "video", first: VideoCodec): C[] {
  return preferred(offered, kind, [...new Set<VideoCodec>([first, "VP8", "H264"])]);
}

/** For what is received: whatever somebody may send. */
export function received<C extends Codec>(offered: readonly C[], kind: "audio" | "video"): C[] {
  return preferred(offered, kind, VIDEO_CODECS);
}

function preferred<C extends Codec>(offered: readonly C[], kind: "audio" | "video", order: readonly VideoCodec[]): C[] {
  const named = (name: string) => offered.filter((codec) => codec.mimeType.toLowerCase() === name);
  if (kind === "audio") return named("audio/opus");
  return [...order.flatMap((name) => offered.filter((codec) => isOurs(codec, name))), ...named("video/rtx")];
}

/** `?codec=H264` sends H264, for machines that encode it in hardware; VP9 and AV1 are for good ones. */
export function codecFromQuery(query: string): VideoCodec {
  const wanted = new URLSearchParams(query).get("codec")?.toUpperCase();
  return VIDEO_CODECS.find((codec) => codec === wanted) ?? "VP8";
}
