/** Which codecs are offered, and in which order: few, so that the SDP of many slots stays small. */

export type VideoCodec = "VP8" | "H264";

/** The part of RTCRtpCodec that decides. */
export interface Codec {
  readonly mimeType: string;
  readonly sdpFmtpLine?: string;
}

/** H264 constrained baseline, level 3.1, packetization mode 1: what every browser and phone sends and reads. */
function isOurH264(codec: Codec): boolean {
  const line = codec.sdpFmtpLine ?? "";
  return /packetization-mode=1/.test(line) && /profile-level-id=42e01f/i.test(line);
}

export function preferred<C extends Codec>(offered: readonly C[], kind: "audio" | "video", first: VideoCodec): C[] {
  const named = (name: string) => offered.filter((codec) => codec.mimeType.toLowerCase() === name);
  if (kind === "audio") return named("audio/opus");
  const vp8 = named("video/vp8");
  const h264 = named("video/h264").filter(isOurH264);
  return [...(first === "H264" ? [...h264, ...vp8] : [...vp8, ...h264]), ...named("video/rtx")];
}

/** `?codec=H264` puts H264 first, for machines that encode it in hardware. */
export function codecFromQuery(query: string): VideoCodec {
  return new URLSearchParams(query).get("codec")?.toUpperCase() === "H264" ? "H264" : "VP8";
}
