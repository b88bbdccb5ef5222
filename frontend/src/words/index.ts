/** The page's language: what Django serves the page in, changeable without a reload. */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { explained } from "../rtc/refusals";
import { en } from "./en";
import { zh } from "./zh";

export type Language = "en" | "zh";

export function languageOf(tag: string): Language {
  return tag.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export async function speak(language: Language): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: "en",
    resources: { en: { translation: en }, zh: { translation: zh } },
    interpolation: { escapeValue: false },
  });
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
}

export async function changeLanguage(language: Language): Promise<void> {
  await i18next.changeLanguage(language);
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  // Django reads this cookie, so that the next page speaks the same.
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing in Firefox and Safari
  document.cookie = `django_language=${language === "zh" ? "zh-hans" : "en"}; path=/; max-age=31536000; samesite=lax`;
}

/** A refusal in plain words; a code that the page does not know is told in the server's. */
export function refusalWords(refusal: { readonly code: string; readonly detail: string }): string {
  const code = explained(refusal.code);
  if (code === null) return refusal.detail || refusal.code;
  // Codes hold dots, which i18next would take for levels.
  return (languageOf(i18next.language) === "zh" ? zh : en).refusal[code];
}
