import { memo, useState } from "react";
import { plural } from "../../parts/words";
import type { Skip } from "./crowd";

interface Props {
  skip: Skip;
  onOpen: (skip: Skip) => Promise<void>;
}

/** What was too much to read. Nothing is lost: it is loaded when somebody wants it. */
export const MoreLine = memo(function MoreLine({ skip, onOpen }: Props) {
  const [state, setState] = useState<"ready" | "busy" | "failed">("ready");
  const open = () => {
    setState("busy");
    onOpen(skip).catch(() => setState("failed"));
  };
  const words = { ready: "Show all", busy: "Loading…", failed: "Not loaded. Try again" };
  return (
    <li className="more">
      <span className="quiet-text">… and {plural(skip.count, "more message")}</span>
      <button type="button" className="small plain" disabled={state === "busy"} onClick={open}>
        {words[state]}
      </button>
    </li>
  );
});
