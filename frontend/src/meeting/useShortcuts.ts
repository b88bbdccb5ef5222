/** One catalogue of keys; silent while somebody types. */
import { useEffect, useRef } from "react";

export const KEYS = [
  { key: "M", does: "microphone" },
  { key: "V", does: "camera" },
  { key: "S", does: "share" },
  { key: "H", does: "hand" },
  { key: "C", does: "chat" },
  { key: "P", does: "people" },
  { key: " ", does: "talk" },
  { key: "ArrowLeft", does: "previousPage" },
  { key: "ArrowRight", does: "nextPage" },
  { key: "?", does: "help" },
] as const;

export type Shortcut = (typeof KEYS)[number]["does"];

/** What a key does; null while typing, with a modifier, or on a control that takes the key itself. */
export function shortcut(event: {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly repeat: boolean;
  readonly target: { readonly tagName?: string; readonly isContentEditable?: boolean; readonly role?: string | null };
}): Shortcut | null {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return null;
  const { tagName = "", isContentEditable = false, role = null } = event.target;
  if (isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(tagName)) return null;
  if (["menuitem", "option", "dialog", "tab", "slider"].includes(role ?? "")) return null;
  // Space presses the button that has the focus.
  if (event.key === " " && ["BUTTON", "A", "SUMMARY"].includes(tagName)) return null;
  return KEYS.find(({ key }) => key === event.key || key === event.key.toUpperCase())?.does ?? null;
}

export function useShortcuts(act: (shortcut: Shortcut, pressed: boolean) => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    let talking = false;
    const down = (event: KeyboardEvent) => {
      const found = shortcut(event as KeyboardEvent & { target: HTMLElement });
      if (found === null) return;
      event.preventDefault();
      if (found === "talk") talking = true;
      latest.current(found, true);
    };
    const stop = () => {
      if (talking) latest.current("talk", false);
      talking = false;
    };
    const up = (event: KeyboardEvent) => {
      if (event.key === " ") stop();
    };
    window.addEventListener("keydown", down);
    window.addEventListener("keyup", up);
    window.addEventListener("blur", stop);
    return () => {
      window.removeEventListener("keydown", down);
      window.removeEventListener("keyup", up);
      window.removeEventListener("blur", stop);
    };
  }, []);
}
