/** Why a camera or microphone could not be had, told apart by what the person can do about it. */
export type DeviceProblem = "browser" | "system" | "in-use" | "missing" | "insecure";

/** From what getUserMedia threw; Chromium tells the system's refusal from the browser's only by the message. */
export function deviceProblem(error: { readonly name: string; readonly message: string }): DeviceProblem {
  switch (error.name) {
    case "NotAllowedError":
    case "PermissionDeniedError":
      return /system/i.test(error.message) ? "system" : "browser";
    case "SecurityError":
      return "browser";
    case "NotFoundError":
    case "DevicesNotFoundError":
    case "OverconstrainedError":
      return "missing";
    default:
      return "in-use";
  }
}
