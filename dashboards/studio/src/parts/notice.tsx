import type { ReactNode } from "react";
import type { Tone } from "./words";

/** A sentence that must be seen, with what to do about it. Problems are announced at once. */
export function Notice({ tone, children, action }: { tone: Tone; children: ReactNode; action?: ReactNode }) {
  return (
    <div className={`notice tone-${tone}`} role={tone === "bad" ? "alert" : "status"}>
      <p>{children}</p>
      {action}
    </div>
  );
}
