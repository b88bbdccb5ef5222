import { SendHorizontal } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { Button } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { CallSnapshot } from "../rtc/call";

const LONGEST = 4000;

export function ChatPanel({ call, onSay }: { readonly call: CallSnapshot; readonly onSay: (text: string) => void }) {
  const { t, i18n } = useTranslation();
  const [text, setText] = useState("");
  const end = useRef<HTMLDivElement>(null);
  const { chat } = call.state;
  const count = chat.length + call.unsent.length;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new message scrolls into view
  useEffect(() => {
    end.current?.scrollIntoView({ block: "end" });
  }, [count]);

  const send = () => {
    const said = text.trim();
    if (said === "") return;
    onSay(said);
    setText("");
  };
  const key = (event: KeyboardEvent) => {
    // While an input method composes, Enter chooses a word.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  const time = new Intl.DateTimeFormat(i18n.language, { hour: "2-digit", minute: "2-digit" });
  return (
    <>
      <div className="panel-body chat" role="log" aria-label={t("chat.title")}>
        {count === 0 && <p className="panel-empty">{t("chat.empty")}</p>}
        {chat.map((message, index) => {
          const own = message.participantId === call.me;
          const before = chat[index - 1];
          const follows = before?.participantId === message.participantId && message.at - before.at < 120_000;
          return (
            <div key={message.id} className={own ? "said own" : "said"}>
              {!follows && (
                <div className="said-by">
                  <strong>{own ? t("chat.you") : message.name}</strong>
                  <time dateTime={new Date(message.at).toISOString()}>{time.format(message.at)}</time>
                </div>
              )}
              <p>{message.text}</p>
            </div>
          );
        })}
        {call.unsent.map((message) => (
          <div key={message.id} className="said own unsent">
            <p>{message.text}</p>
            <span>{t("chat.sending")}</span>
          </div>
        ))}
        <div ref={end} />
      </div>
      <div className="panel-foot write">
        <textarea
          className="input"
          rows={1}
          value={text}
          maxLength={LONGEST}
          aria-label={t("chat.write")}
          placeholder={t("chat.write")}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={key}
        />
        <Button
          className="icon-button accent"
          aria-label={t("chat.send")}
          isDisabled={text.trim() === ""}
          onPress={send}
        >
          <SendHorizontal size={20} aria-hidden />
        </Button>
      </div>
    </>
  );
}
