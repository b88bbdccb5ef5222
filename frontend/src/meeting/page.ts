/** What Django tells the page, and what the page asks of Django. */
import type { Role } from "../protocol/generated/meeting";

export interface PageData {
  readonly slug: string;
  readonly title: string;
  readonly signedIn: boolean;
  readonly name: string;
  readonly language: string;
  readonly socketBase: string;
}

export interface Ticket {
  readonly ticket: string;
  readonly meetingId: string;
  readonly participantId: string;
  readonly socketPath: string;
  readonly role: Role;
}

export interface Refusal {
  readonly code: string;
  readonly detail: string;
}

export function pageData(): PageData {
  const text = document.getElementById("page")?.textContent;
  if (!text) throw new Error("the page lacks its data block");
  return JSON.parse(text) as PageData;
}

function cookie(name: string): string {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
  return found === undefined ? "" : decodeURIComponent(found.slice(name.length + 1));
}

/** A ticket to the room's running meeting, or why not. */
export async function askTicket(slug: string, name: string, passcode = ""): Promise<Ticket | Refusal> {
  let response: Response;
  try {
    response = await fetch(`/api/v1/rooms/${encodeURIComponent(slug)}/tickets/`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": cookie("csrftoken") },
      body: JSON.stringify(passcode === "" ? { name } : { name, passcode }),
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { code: "network.unreachable", detail: error.message };
  }
  const json = response.headers.get("Content-Type")?.includes("json") ?? false;
  const body = (json ? await response.json() : {}) as Record<string, string>;
  if (!response.ok) {
    const code = body.code ?? (response.status >= 500 ? "service.unavailable" : "");
    return { code, detail: body.detail ?? body.title ?? `HTTP ${response.status}` };
  }
  return {
    ticket: body.ticket ?? "",
    meetingId: body.meeting_id ?? "",
    participantId: body.participant_id ?? "",
    socketPath: body.socket_path ?? "",
    role: body.role as Role,
  };
}

export function socketUrl(path: string): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
}

/** The ticket of this tab: a reload goes straight back in. */
export const kept = {
  key: (slug: string) => `quorum.ticket.${slug}`,
  get(slug: string): Ticket | null {
    const text = sessionStorage.getItem(kept.key(slug));
    return text === null ? null : (JSON.parse(text) as Ticket);
  },
  set: (slug: string, ticket: Ticket) => sessionStorage.setItem(kept.key(slug), JSON.stringify(ticket)),
  forget: (slug: string) => sessionStorage.removeItem(kept.key(slug)),
};

export const memory = {
  name: () => localStorage.getItem("quorum.name") ?? "",
  rememberName: (name: string) => localStorage.setItem("quorum.name", name),
  theme: () => localStorage.getItem("quorum.theme") ?? "dark",
  rememberTheme: (theme: string) => localStorage.setItem("quorum.theme", theme),
};

export type Theme = "dark" | "light" | "system";

export function showTheme(theme: string): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
