import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "../api";
import { Confirm } from "../parts/confirm";

export function EndButton({ showId, title }: { showId: string; title: string }) {
  const api = useApi();
  const [asking, setAsking] = useState(false);
  const end = useMutation({ mutationFn: () => api.endShow(showId) });
  return (
    <div className="head-actions">
      <button type="button" className="danger" onClick={() => setAsking(true)}>
        End show
      </button>
      {asking && (
        <Confirm
          title="End the show everywhere?"
          act="End it now"
          busy={end.isPending}
          error={end.error}
          onAct={() => end.mutate()}
          onClose={() => setAsking(false)}
        >
          “{title}” ends on every platform and on your watch page. An ended show can't go live again.
        </Confirm>
      )}
    </div>
  );
}
