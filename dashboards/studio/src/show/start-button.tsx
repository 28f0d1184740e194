import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "../api";
import { Confirm } from "../parts/confirm";
import { Problem } from "../parts/problem";

/** Goes live at once when there is a picture; without one it asks first. The push tells the rest. */
export function StartButton({ showId, feeding }: { showId: string; feeding: boolean }) {
  const api = useApi();
  const [asking, setAsking] = useState(false);
  const start = useMutation({
    mutationFn: () => api.startShow(showId),
    onSuccess: () => setAsking(false),
  });
  return (
    <div className="head-actions">
      <button
        type="button"
        className="primary"
        disabled={start.isPending}
        onClick={() => (feeding ? start.mutate() : setAsking(true))}
      >
        {start.isPending ? "Going live…" : "Go live"}
      </button>
      {!asking && <Problem error={start.error} />}
      {asking && (
        <Confirm
          title="Go live without a picture?"
          act="Go live anyway"
          busy={start.isPending}
          error={start.error}
          onAct={() => start.mutate()}
          onClose={() => setAsking(false)}
        >
          Your encoder is not sending yet. The platforms open their broadcasts now and show the picture as soon
          as it arrives.
        </Confirm>
      )}
    </div>
  );
}
