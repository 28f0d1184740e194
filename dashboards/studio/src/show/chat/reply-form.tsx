import type { Recipients, StaffMessage, Target } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { Problem } from "../../parts/problem";
import type { Room } from "../room";

/** The hub's limit. */
const LONGEST = 200;
/** From here on it is worth counting. */
const NEARLY = 160;

interface Props {
  room: Room;
  /** Those that have a chat. */
  targets: Target[];
  /** The message that is being answered: only its platform hears it. */
  answered: StaffMessage | null;
  onAnswered: () => void;
}

export function ReplyForm({ room, targets, answered, onAnswered }: Props) {
  const [text, setText] = useState("");
  const [to, setTo] = useState("all");
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => {
    if (!answered) return;
    setTo(answered.target_id ?? "own");
    setText(answered.author_name ? `@${answered.author_name} ` : "");
    input.current?.focus();
    onAnswered();
  }, [answered, onAnswered]);
  const send = useMutation({
    mutationFn: (words: string) => room.say(words, recipients(to)),
    onSuccess: () => {
      setText("");
      setTo("all");
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const words = text.trim();
    if (words && !send.isPending) send.mutate(words);
  };
  return (
    <form className="reply stack tight" onSubmit={submit}>
      <div className="row nowrap">
        <label htmlFor={`${id}-to`} className="quiet-text">
          Send to
        </label>
        <select id={`${id}-to`} className="bare" value={to} onChange={(event) => setTo(event.target.value)}>
          <option value="all">All platforms</option>
          <option value="own">Watch page only</option>
          {targets.map((target) => (
            <option key={target.id} value={target.id}>
              {target.name} only
            </option>
          ))}
        </select>
      </div>
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
      <p id={`${id}-left`} className="quiet-text number" hidden={text.length < NEARLY}>
        {LONGEST - text.length} characters left
      </p>
      <Problem error={send.error} />
    </form>
  );
}

function recipients(to: string): Recipients {
  return to === "all" ? "all" : [to];
}
