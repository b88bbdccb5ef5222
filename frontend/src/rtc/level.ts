/** How loud a microphone is: 0 (silence) to 1 (as loud as a voice gets). */

const QUIETEST_DB = -60;
const LOUDEST_DB = -12;

/** From samples between -1 and 1: root mean square on a logarithmic scale, as an ear hears it. */
export function loudness(samples: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i += 1) sum += (samples[i] ?? 0) ** 2;
  if (sum === 0) return 0;
  const db = 10 * Math.log10(sum / samples.length);
  return Math.min(1, Math.max(0, (db - QUIETEST_DB) / (LOUDEST_DB - QUIETEST_DB)));
}

/** Call `heard` about 20 times a second; returns how to stop. */
export function meter(track: MediaStreamTrack, heard: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  const source = context.createMediaStreamSource(new MediaStream([track]));
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    // Without a gesture the context starts suspended, and may be resumed after one.
    if (context.state === "suspended") void context.resume();
    analyser.getFloatTimeDomainData(samples);
    heard(track.enabled ? loudness(samples) : 0);
  }, 50);
  return () => {
    clearInterval(timer);
    source.disconnect();
    void context.close();
  };
}

/** Two soft notes through one speaker. */
export async function playTestSound(speakerId: string | null): Promise<void> {
  const context = new AudioContext();
  if (speakerId !== null && "setSinkId" in context) {
    await (context as AudioContext & { setSinkId(id: string): Promise<void> }).setSinkId(speakerId);
  }
  [523.25, 783.99].forEach((frequency_hz, index) => {
    const start_s = context.currentTime + index * 0.28;
    const note = context.createOscillator();
    const volume = context.createGain();
    note.frequency.value = frequency_hz;
    volume.gain.setValueAtTime(0, start_s);
    volume.gain.linearRampToValueAtTime(0.22, start_s + 0.03);
    volume.gain.exponentialRampToValueAtTime(0.0001, start_s + 0.6);
    note.connect(volume).connect(context.destination);
    note.start(start_s);
    note.stop(start_s + 0.65);
  });
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await context.close();
}
