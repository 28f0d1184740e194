import type { ReactNode } from "react";
import { Dialog } from "./dialog";
import { Problem } from "./problem";

interface Props {
  title: string;
  children: ReactNode;
  /** What the button that does it says. */
  act: string;
  busy: boolean;
  error: unknown;
  onAct: () => void;
  onClose: () => void;
}

/** Asks before something that can't be taken back. */
export function Confirm({ title, children, act, busy, error, onAct, onClose }: Props) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{children}</p>
      <Problem error={error} />
      <div className="row">
        {/* First, so that it has the focus: a second Enter in haste must not end a show. */}
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="primary" disabled={busy} onClick={onAct}>
          {act}
        </button>
      </div>
    </Dialog>
  );
}
