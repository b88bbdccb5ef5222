/** The page of a room: `/r/<slug>/`. */
import "@fontsource-variable/inter/index.css";
import "../ui/tokens.css";
import "../ui/controls.css";
import "../ui/kit.css";
import "../lobby/lobby.css";
import "./goodbye.css";
import "./meeting.css";
import "./stage.css";
import "./panels.css";
import "./narrow.css";
import { I18nProvider } from "react-aria-components";
import { createRoot } from "react-dom/client";
import { languageOf, speak } from "../words";
import { App } from "./App";
import { memory, pageData, showTheme } from "./page";

const page = pageData();
showTheme(memory.theme());
document.title = page.title;
const root = document.getElementById("root");
if (root === null) throw new Error("the page lacks its root");
const language = languageOf(page.language);
await speak(language);
createRoot(root).render(
  <I18nProvider locale={language === "zh" ? "zh-CN" : "en-GB"}>
    <App page={page} />
  </I18nProvider>,
);
