import type { ServerClock, Target } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "../api";
import { Confirm } from "../parts/confirm";
import { Problem } from "../parts/problem";
import { runOut } from "./targets/there-words";

interface Props {
  showId: string;
  feeding: boolean;
  targets: Target[];
  clock: ServerClock;
}

/** Goes live at once when there is a picture; without one it asks first. The push tells the rest. */
export function StartButton({ showId, feeding, targets, clock }: Props) {
  const api = useApi();
  const [asking, setAsking] = useState(false);
  const start = useMutation({
    mutationFn: () => api.startShow(showId),
    onSuccess: () => setAsking(false),
  });
  const dead = targets.filter((one) => one.wanted && runOut(one, Date.now() + clock.offsetMs));
  return (
    <div className="head-actions">
      <button
        type="button"
        className="primary"
        disabled={start.isPending}
        onClick={() => (feeding && !dead.length ? start.mutate() : setAsking(true))}
      >
        {start.isPending ? "Going live…" : "Go live"}
      </button>
      {!asking && <Problem error={start.error} />}
      {asking && (
        <Confirm
          title={feeding ? "Go live all the same?" : "Go live without a picture?"}
          act="Go live anyway"
          busy={start.isPending}
          error={start.error}
          onAct={() => start.mutate()}
          onClose={() => setAsking(false)}
        >
          {!feeding &&
            "Your encoder is not sending yet. The platforms open their broadcasts now and show the picture as soon as it arrives. "}
          {dead.length > 0 &&
            `The stream key of ${dead.map((one) => one.name).join(", ")} has run out: enter a new one first, or go live without it.`}
        </Confirm>
      )}
    </div>
  );
}
