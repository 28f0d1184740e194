import type { NewMessage, StaffMessage, Voice } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { randomKey } from "../../orders/use-orders";
import { Problem } from "../../parts/problem";
import type { Room } from "../room";
import { type Keyed, keyed, tooMuch } from "./feed";

/** The hub's limit; each platform has its own. */
const LONGEST = 500;
/** From here on it is worth counting. */
const NEARLY = 440;

interface Props {
  room: Room;
  /** The chats of the show, and what each takes. */
  voices: Voice[];
  /** The message that is being answered: only its platform hears it. */
  answered: StaffMessage | null;
  onForget: () => void;
}

export function ReplyForm({ room, voices, answered, onForget }: Props) {
  const [text, setText] = useState("");
  const [to, setTo] = useState("all");
  const [aloud, setAloud] = useState(false);
  const tried = useRef<Keyed | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => {
    if (answered) input.current?.focus();
  }, [answered]);
  const send = useMutation({
    mutationFn: (message: NewMessage) => room.say(message),
    onSuccess: () => {
      tried.current = null;
      setText("");
      setTo("all");
      setAloud(false);
      onForget();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const words = text.trim();
    if (!words || send.isPending) return;
    const message: NewMessage = answered
      ? { text: words, answers: answered.id }
      : { text: words, to: to === "all" ? "all" : [to], aloud };
    tried.current = keyed(message, tried.current, randomKey);
    send.mutate(tried.current);
  };
  const target = answered ? (answered.target_id ?? "own") : to === "all" ? null : to;
  const troubles = tooMuch(text.trim(), voices, target);
  return (
    <form className="reply stack tight" onSubmit={submit}>
      {answered ? (
        <Answering message={answered} onForget={onForget} />
      ) : (
        <div className="row nowrap">
          <label htmlFor={`${id}-to`} className="quiet-text">
            Send to
          </label>
          <select id={`${id}-to`} className="bare" value={to} onChange={(event) => setTo(event.target.value)}>
            <option value="all">All platforms</option>
            <option value="own">Watch page only</option>
            {voices
              .filter((voice) => voice.why_not === null)
              .map((voice) => (
                <option key={voice.target_id} value={voice.target_id}>
                  {voice.name} only
                </option>
              ))}
          </select>
          {voices.some((voice) => voice.announces) && (
            <label className="aloud quiet-text">
              <input type="checkbox" checked={aloud} onChange={(event) => setAloud(event.target.checked)} />
              Announce
            </label>
          )}
        </div>
      )}
      <div className="row nowrap">
        <input
          ref={input}
          className="bare"
          aria-label="Reply"
          aria-describedby={`${id}-left`}
          placeholder="Write to your viewers…"
          autoComplete="off"
          enterKeyHint="send"
          maxLength={LONGEST}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <button className="primary" aria-disabled={send.isPending}>
          Send
        </button>
      </div>
      <p id={`${id}-left`} className="quiet-text number" hidden={text.length < NEARLY && !troubles.length}>
        {troubles.join(" ") || `${LONGEST - text.length} characters left`}
      </p>
      <Problem error={send.error} />
    </form>
  );
}

function Answering({ message, onForget }: { message: StaffMessage; onForget: () => void }) {
  return (
    <div className="row nowrap answering">
      <span className="quiet-text">
        Answering {message.author_name ?? "a guest"}: “{message.text}”
      </span>
      <button type="button" className="small plain" aria-label="Do not answer" onClick={onForget}>
        ✕
      </button>
    </div>
  );
}
