/**
 * Runs in a meeting page before its own scripts: when was sound and picture last played, and how long was the longest
 * gap? Asked of the tracks themselves every 10 ms, over all connections: what a new connection plays while the old one
 * is silent closes the gap, as it does for a person.
 */
(() => {
  const peers = new Set();
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...terms) {
      super(...terms);
      peers.add(this);
    }
    close() {
      super.close();
      peers.delete(this);
    }
  };
  const played = new WeakMap();
  const kinds = { audio: { at: 0, gap: 0 }, video: { at: 0, gap: 0 } };
  const since = (kind, now) => Math.max(kinds[kind].gap, now - kinds[kind].at);
  const sound = { samples: 0, concealed: 0 };
  const counted = new WeakMap();
  const link = { lostAt: 0, gap: 0 };
  let clicks = 0;
  window.addEventListener("click", (event) => { if (event.isTrusted) clicks += 1; }, true);

  setInterval(() => {
    const now = performance.now();
    const linked = window.quorum?.engine.store.get().linked ?? true;
    if (linked) {
      if (link.lostAt > 0) link.gap = Math.max(link.gap, now - link.lostAt);
      link.lostAt = 0;
    } else if (link.lostAt === 0) link.lostAt = now;
    for (const peer of peers) {
      for (const receiver of peer.getReceivers()) {
        const heard = receiver.getSynchronizationSources()[0]?.rtpTimestamp;
        if (heard === undefined || heard === played.get(receiver)) continue;
        played.set(receiver, heard);
        const kind = receiver.track.kind;
        kinds[kind].gap = since(kind, now);
        kinds[kind].at = now;
      }
    }
  }, 10);

  setInterval(async () => {
    for (const peer of peers) {
      const known = counted.get(peer) ?? new Map();
      counted.set(peer, known);
      for (const entry of (await peer.getStats()).values()) {
        if (entry.type !== "inbound-rtp" || entry.kind !== "audio") continue;
        const before = known.get(entry.id) ?? [0, 0];
        const now = [entry.totalSamplesReceived ?? 0, entry.concealedSamples ?? 0];
        known.set(entry.id, now);
        sound.samples += now[0] - before[0];
        sound.concealed += now[1] - before[1];
      }
    }
  }, 200);

  window.meter = {
    /** The track that plays in a section of the newest connection that has it. */
    track(mid) {
      const found = [...peers].flatMap((peer) => peer.getTransceivers())
        .filter((section) => section.mid === mid && section.direction === "recvonly" && !section.receiver.track.muted);
      return found.at(-1).receiver.track;
    },
    /** Begin anew. */
    reset() {
      for (const kind of Object.values(kinds)) Object.assign(kind, { at: performance.now(), gap: 0 });
      Object.assign(sound, { samples: 0, concealed: 0 });
      Object.assign(link, { lostAt: 0, gap: 0 });
      clicks = 0;
    },
    /**
     * Longest gaps so far, the one that lasts included; whether both play now; the longest time without a socket that
     * is over (`unlinked`) and whether there is none now (`lost`); samples of sound; trusted clicks.
     */
    read() {
      const now = performance.now();
      return {
        audio: since("audio", now) / 1000,
        video: since("video", now) / 1000,
        playing: now - kinds.audio.at < 150 && now - kinds.video.at < 250,
        unlinked: link.gap / 1000,
        lost: link.lostAt > 0,
        ...sound,
        clicks,
      };
    },
  };
})();
