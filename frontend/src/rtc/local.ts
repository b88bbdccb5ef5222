/**
 * This person's microphone, camera and speaker: opened apart, so that a refused one never costs the other.
 *
 * A muted microphone keeps its track (unmuting is instant); a camera that is off has none, so that its light is off.
 */
import { type DeviceProblem, deviceProblem } from "./problems";
import { LocalScreen } from "./screen";
import { Store } from "./store";

export type InputKind = "microphone" | "camera";

export interface Device {
  readonly id: string;
  readonly label: string;
}

export interface Input {
  /** What the person wants, whether or not it can be had. */
  readonly on: boolean;
  readonly track: MediaStreamTrack | null;
  readonly deviceId: string | null;
  readonly problem: DeviceProblem | null;
  readonly opening: boolean;
}

export interface LocalSnapshot {
  readonly microphone: Input;
  readonly camera: Input;
  readonly microphones: readonly Device[];
  readonly cameras: readonly Device[];
  readonly speakers: readonly Device[];
  readonly speakerId: string | null;
}

interface Remembered {
  microphone?: string;
  camera?: string;
  speaker?: string;
  microphoneOn?: boolean;
  cameraOn?: boolean;
}

const REMEMBERED = "quorum.devices";

function recall(): Remembered {
  const text = localStorage.getItem(REMEMBERED);
  if (text === null) return {};
  try {
    return JSON.parse(text) as Remembered;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    localStorage.removeItem(REMEMBERED);
    return {};
  }
}

function remember(change: Remembered): void {
  localStorage.setItem(REMEMBERED, JSON.stringify({ ...recall(), ...change }));
}

function constraints(kind: InputKind, deviceId: string | null): MediaTrackConstraints {
  const device = deviceId === null ? {} : { deviceId: { ideal: deviceId } };
  if (kind === "microphone")
    return { ...device, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  return { ...device, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
}

export class LocalMedia {
  readonly store: Store<LocalSnapshot>;
  readonly screen = new LocalScreen();
  #turn = { microphone: 0, camera: 0 };
  #closed = false;

  constructor() {
    const memory = recall();
    const input = { track: null, problem: null, opening: false };
    this.store = new Store<LocalSnapshot>({
      microphone: { ...input, on: memory.microphoneOn ?? true, deviceId: memory.microphone ?? null },
      camera: { ...input, on: memory.cameraOn ?? true, deviceId: memory.camera ?? null },
      microphones: [],
      cameras: [],
      speakers: [],
      speakerId: memory.speaker ?? null,
    });
  }

  /** Open what was on last time. One question of the browser for both, where both are wanted. */
  async start(): Promise<void> {
    if (navigator.mediaDevices === undefined) {
      this.#change("microphone", { problem: "insecure" });
      this.#change("camera", { problem: "insecure" });
      return;
    }
    navigator.mediaDevices.addEventListener("devicechange", this.#devicesChanged);
    const { microphone, camera } = this.store.get();
    // The microphone is opened even when muted: the page can then say "you are muted" to who speaks.
    if (camera.on) await this.#openBoth();
    else await this.#open("microphone");
    if (!microphone.on) this.setOn("microphone", false, false);
    await this.#list();
  }

  close(): void {
    this.#closed = true;
    this.screen.close();
    navigator.mediaDevices?.removeEventListener("devicechange", this.#devicesChanged);
    for (const kind of ["microphone", "camera"] as const) this.#release(kind);
  }

  /** Mute or unmute, camera on or off. */
  setOn(kind: InputKind, on: boolean, remembered = true): void {
    if (remembered) remember(kind === "microphone" ? { microphoneOn: on } : { cameraOn: on });
    const { track } = this.store.get()[kind];
    this.#change(kind, { on });
    if (kind === "microphone" && track !== null) track.enabled = on;
    else if (on) void this.#open(kind).then(() => this.#list());
    else this.#release(kind);
  }

  choose(kind: InputKind, deviceId: string): void {
    remember({ [kind]: deviceId });
    this.#change(kind, { deviceId });
    if (kind === "microphone" || this.store.get().camera.on) void this.#open(kind);
  }

  chooseSpeaker(deviceId: string): void {
    remember({ speaker: deviceId });
    this.store.set({ speakerId: deviceId });
  }

  /** Try again after the person changed a permission or freed the device. */
  async retry(kind: InputKind): Promise<void> {
    if (navigator.mediaDevices === undefined) return;
    this.#change(kind, { on: true });
    await this.#open(kind);
    await this.#list();
  }

  #change(kind: InputKind, change: Partial<Input>): void {
    this.store.set({ [kind]: { ...this.store.get()[kind], ...change } });
  }

  #release(kind: InputKind): void {
    this.#turn[kind] += 1;
    const { track } = this.store.get()[kind];
    if (track !== null) {
      track.onended = null;
      track.stop();
    }
    this.#change(kind, { track: null, opening: false });
  }

  async #openBoth(): Promise<void> {
    const { microphone, camera } = this.store.get();
    this.#change("microphone", { opening: true });
    this.#change("camera", { opening: true });
    const turn = { ...this.#turn };
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: constraints("microphone", microphone.deviceId),
        video: constraints("camera", camera.deviceId),
      });
      this.#take("microphone", stream.getAudioTracks()[0] ?? null, turn.microphone);
      this.#take("camera", stream.getVideoTracks()[0] ?? null, turn.camera);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      // One of the two failed: asked apart, each says what is the matter with it.
      await Promise.all([this.#open("microphone"), this.#open("camera")]);
    }
  }

  async #open(kind: InputKind): Promise<void> {
    this.#turn[kind] += 1;
    const turn = this.#turn[kind];
    this.#change(kind, { opening: true, problem: null });
    const wish = constraints(kind, this.store.get()[kind].deviceId);
    try {
      const stream = await navigator.mediaDevices.getUserMedia(
        kind === "microphone" ? { audio: wish } : { video: wish },
      );
      this.#take(kind, stream.getTracks()[0] ?? null, turn);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      if (turn === this.#turn[kind]) {
        this.#release(kind);
        this.#change(kind, { problem: deviceProblem(error) });
      }
    }
  }

  /** Use a track, unless the person has meanwhile asked for something else. */
  #take(kind: InputKind, track: MediaStreamTrack | null, turn: number): void {
    if (this.#closed || turn !== this.#turn[kind]) {
      track?.stop();
      return;
    }
    const { track: old, on } = this.store.get()[kind];
    if (old !== null) {
      old.onended = null;
      old.stop();
    }
    if (track !== null) {
      if (kind === "microphone") track.enabled = on;
      // Unplugged, or taken away by the system: fall back to whatever else is there.
      track.onended = () => {
        this.#change(kind, { deviceId: null, track: null });
        void this.#open(kind).then(() => this.#list());
      };
    }
    this.#change(kind, { track, opening: false, problem: track === null ? "missing" : null });
  }

  #devicesChanged = (): void => {
    void this.#list().then(() => {
      for (const kind of ["microphone", "camera"] as const) {
        if (this.store.get()[kind].problem === "missing" && this.store.get()[kind].on) void this.#open(kind);
      }
    });
  };

  async #list(): Promise<void> {
    if (navigator.mediaDevices === undefined) return;
    const devices = await navigator.mediaDevices.enumerateDevices();
    const of = (kind: MediaDeviceKind): Device[] =>
      devices
        .filter((device) => device.kind === kind && device.deviceId !== "")
        .map((device, index) => ({ id: device.deviceId, label: device.label || `${index + 1}` }));
    this.store.set({ microphones: of("audioinput"), cameras: of("videoinput"), speakers: of("audiooutput") });
  }
}
