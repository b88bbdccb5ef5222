/** This person's shared screen: asked of the browser, ended here or by the browser's own bar. */
import { Store } from "./store";

export interface ScreenSnapshot {
  readonly video: MediaStreamTrack | null;
  readonly audio: MediaStreamTrack | null;
}

/** Text must be sharp; fifteen frames a second are enough for it, and for a pointer. */
const WISH: DisplayMediaStreamOptions = {
  video: { frameRate: { ideal: 15, max: 15 }, width: { max: 1920 }, height: { max: 1080 } },
  audio: true,
};

export class LocalScreen {
  readonly store = new Store<ScreenSnapshot>({ video: null, audio: null });
  #closed = false;
  #asking = false;

  /** Phones cannot. */
  get possible(): boolean {
    return navigator.mediaDevices !== undefined && "getDisplayMedia" in navigator.mediaDevices;
  }

  /** Ask which screen; `refused` when the system does not give it. That the person changed their mind is no refusal. */
  async start(): Promise<"shared" | "cancelled" | "refused"> {
    if (this.#asking || this.store.get().video !== null) return "cancelled";
    this.#asking = true;
    try {
      const stream = await navigator.mediaDevices.getDisplayMedia(WISH);
      this.#take(stream);
      return "shared";
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      return error.name === "NotAllowedError" && !/system/i.test(error.message) ? "cancelled" : "refused";
    } finally {
      this.#asking = false;
    }
  }

  stop(): void {
    const { video, audio } = this.store.get();
    for (const track of [video, audio]) {
      if (track === null) continue;
      track.onended = null;
      track.stop();
    }
    this.store.set({ video: null, audio: null });
  }

  close(): void {
    this.#closed = true;
    this.stop();
  }

  #take(stream: MediaStream): void {
    const video = stream.getVideoTracks()[0] ?? null;
    const audio = stream.getAudioTracks()[0] ?? null;
    if (this.#closed || video === null) {
      for (const track of stream.getTracks()) track.stop();
      return;
    }
    video.contentHint = "detail";
    video.onended = () => this.stop();
    if (audio !== null) audio.onended = () => this.store.set({ audio: null });
    this.store.set({ video, audio });
  }
}
