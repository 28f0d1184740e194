import { type RefObject, useState } from "react";

interface Props {
  scroller: RefObject<HTMLElement | null>;
  onEarlier: () => Promise<boolean>;
}

/** Loads older messages and keeps what is being read where it is. */
export function EarlierButton({ scroller, onEarlier }: Props) {
  const [state, setState] = useState<"ready" | "busy" | "none" | "failed">("ready");
  const load = () => {
    setState("busy");
    const below = scroller.current ? scroller.current.scrollHeight - scroller.current.scrollTop : 0;
    onEarlier().then(
      (found) => {
        setState(found ? "ready" : "none");
        setTimeout(() => {
          if (scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight - below;
        }, 100);
      },
      () => setState("failed"),
    );
  };
  if (state === "none") return <p className="quiet-text">This is where the chat began.</p>;
  const words = { ready: "Earlier messages", busy: "Loading…", failed: "Not loaded. Try again" };
  return (
    <button type="button" className="small plain" disabled={state === "busy"} onClick={load}>
      {words[state]}
    </button>
  );
}
