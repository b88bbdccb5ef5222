/** One line at the top at a time; it goes by itself. */
import { useCallback, useEffect, useState } from "react";

const SHOWN_MS = 4000;
const SHOWN_WITH_ACTION_MS = 20_000;

export interface Line {
  readonly text: string;
  readonly action?: { readonly label: string; readonly act: () => void };
  readonly tone?: "warning" | "problem";
}

export function useNotices() {
  const [line, setLine] = useState<Line | null>(null);
  const dismiss = useCallback(() => setLine(null), []);
  useEffect(() => {
    if (line === null) return;
    const timer = setTimeout(dismiss, line.action ? SHOWN_WITH_ACTION_MS : SHOWN_MS);
    return () => clearTimeout(timer);
  }, [line, dismiss]);
  return { line, show: setLine, dismiss };
}
