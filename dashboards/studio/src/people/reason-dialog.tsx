import { type FormEvent, type ReactNode, useState } from "react";
import { Dialog } from "../parts/dialog";
import { Problem } from "../parts/problem";
import { TextField } from "../parts/text-field";

interface Props {
  title: string;
  children: ReactNode;
  /** What the button that does it says. */
  act: string;
  ready?: boolean;
  busy: boolean;
  error: unknown;
  onAct: (reason: string) => void;
  onClose: () => void;
}

/** Asks why before who is who is changed; the reason stands in the person's history. */
export function ReasonDialog({ title, children, act, ready = true, busy, error, onAct, onClose }: Props) {
  const [reason, setReason] = useState("");
  const able = ready && Boolean(reason.trim());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (able && !busy) onAct(reason.trim());
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form className="stack" onSubmit={submit} noValidate>
        {children}
        <TextField
          label="Why"
          help="Stands in the person's history, with your name."
          required
          maxLength={500}
          value={reason}
          onText={setReason}
        />
        <Problem error={error} />
        <div className="row">
          <button className="primary" disabled={!able} aria-disabled={busy}>
            {act}
          </button>
          <button type="button" onClick={onClose}>
            Back
          </button>
        </div>
      </form>
    </Dialog>
  );
}
