import type { StaffMessage, Verb, Voice } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { Dialog } from "../../parts/dialog";
import { Problem } from "../../parts/problem";
import type { Room } from "../room";
import { verbWords } from "./feed";

const MINUTES = 5;
const CHOICES: { verb: Verb; label: string }[] = [
  { verb: "hide", label: "Hide the message" },
  { verb: "delete", label: "Delete the message" },
  { verb: "timeout", label: `Silence for ${MINUTES} minutes` },
  { verb: "ban", label: "Ban" },
];

interface Props {
  room: Room;
  message: StaffMessage;
  voices: Voice[];
  onAnswer: (message: StaffMessage) => void;
  onClose: () => void;
}

/** What can be done about one message; each choice says what it will reach. */
export function MessageMenu({ room, message, voices, onAnswer, onClose }: Props) {
  const act = useMutation({
    mutationFn: (verb: Verb) =>
      room.moderate(message, verb, verb === "timeout" ? MINUTES * 60 : undefined),
    onSuccess: onClose,
  });
  const name = message.author_name ?? "Guest";
  return (
    <Dialog title={name} onClose={onClose}>
      <blockquote className="quoted">{message.text}</blockquote>
      <div className="stack tight choices">
        <button
          type="button"
          className="primary"
          onClick={() => {
            onClose();
            onAnswer(message);
          }}
        >
          Answer
        </button>
        {CHOICES.map(({ verb, label }) => (
          <button key={verb} type="button" disabled={act.isPending} onClick={() => act.mutate(verb)}>
            {label}
            <span className="quiet-text"> {verbWords(verb, message, voices)}</span>
          </button>
        ))}
        <button type="button" className="plain" onClick={onClose}>
          Close
        </button>
      </div>
      <Problem error={act.error} />
    </Dialog>
  );
}
