/**
 * This person's own microphone, camera and screen: what they wish against what the server said of them.
 *
 * Restrictions win: what a host switched off while one was away stays off. What the person changed meanwhile is said.
 */
import type { FromBrowser, Person } from "../protocol/generated/meeting";
import type { LocalMedia } from "./local";
import type { Tracks } from "./publisher";

export type OwnKind = "microphone" | "camera" | "screen";

/** As the journal says it. */
interface Wish {
  readonly muted: boolean;
  readonly cameraOn: boolean;
  readonly sharing: boolean;
}

export interface OwnWorld {
  newId(): string;
  /** False when there is no socket. */
  send(message: FromBrowser): boolean;
}

export class Own {
  #told: Wish | null = null;
  #changedWhileAway = false;
  #asked = new Map<string, OwnKind>();
  readonly #local: LocalMedia;
  readonly #world: OwnWorld;

  constructor(local: LocalMedia, world: OwnWorld) {
    this.#local = local;
    this.#world = world;
  }

  /** What is to be sent. */
  tracks(): Tracks {
    const { microphone, camera } = this.#local.store.get();
    const screen = this.#local.screen.store.get();
    return {
      microphone: microphone.track,
      camera: camera.on ? camera.track : null,
      screen: screen.video,
      "screen-sound": screen.audio,
    };
  }

  #wish(): Wish {
    const { microphone, camera } = this.#local.store.get();
    return {
      muted: !microphone.on || microphone.track === null,
      cameraOn: camera.on && camera.track !== null,
      sharing: this.#local.screen.store.get().video !== null,
    };
  }

  /** Say what differs from what was said last. */
  tell(participantId: string): void {
    const wish = this.#wish();
    const told = this.#told;
    const say = (kind: OwnKind, message: (id: string) => FromBrowser): void => {
      const id = this.#world.newId();
      this.#asked.set(id, kind);
      if (!this.#world.send(message(id))) this.#changedWhileAway = true;
    };
    if (told?.muted !== wish.muted) say("microphone", (id) => ({ type: "mute", participantId, muted: wish.muted, id }));
    if (told?.cameraOn !== wish.cameraOn)
      say("camera", (id) => ({ type: "switch-camera", participantId, on: wish.cameraOn, id }));
    // Nobody shares before they say so.
    if ((told?.sharing ?? false) !== wish.sharing)
      say("screen", (id) => ({ type: "switch-screen", participantId, on: wish.sharing, id }));
    this.#told = wish;
  }

  /** After entering. The stricter side decides; a newcomer's camera (`fresh`) is as it was chosen in the lobby. */
  agree(participantId: string, person: Person | undefined, fresh: boolean): void {
    if (!this.#changedWhileAway && person !== undefined) {
      const { microphone, camera } = this.#local.store.get();
      if (person.muted && microphone.on) this.#local.setOn("microphone", false, false);
      if (!fresh && !person.cameraOn && camera.on) this.#local.setOn("camera", false, false);
      if (!fresh && !person.sharing) this.#local.screen.stop();
    }
    this.#changedWhileAway = false;
    this.#told =
      person === undefined
        ? null
        : { muted: person.muted, cameraOn: person.cameraOn, sharing: person.sharing ?? false };
    this.tell(participantId);
  }

  /** Another one switched this person's microphone, camera or screen. */
  switchedByOther(kind: OwnKind, on: boolean): void {
    const told = this.#told ?? { muted: true, cameraOn: false, sharing: false };
    switch (kind) {
      case "microphone":
        this.#told = { ...told, muted: !on };
        this.#local.setOn(kind, on, false);
        break;
      case "camera":
        this.#told = { ...told, cameraOn: on };
        this.#local.setOn(kind, on, false);
        break;
      case "screen":
        this.#told = { ...told, sharing: on };
        if (!on) this.#local.screen.stop();
        break;
      default:
        kind satisfies never;
    }
  }

  done(id: string): void {
    this.#asked.delete(id);
  }

  /** The server refused a wish: back to what it says. */
  refused(id: string, person: Person | undefined): void {
    const kind = this.#asked.get(id);
    this.#asked.delete(id);
    if (kind === undefined) return;
    this.#told = null;
    if (kind === "screen") this.#local.screen.stop();
    else this.#local.setOn(kind, kind === "microphone" ? person?.muted === false : person?.cameraOn === true, false);
  }
}
