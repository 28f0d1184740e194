import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "../../api";
import { SHOWS } from "../../cache";
import { Confirm } from "../../parts/confirm";

/** Calls a planned show off, after asking. */
export function CancelShow({ showId, title }: { showId: string; title: string }) {
  const api = useApi();
  const cache = useQueryClient();
  const [asking, setAsking] = useState(false);
  const cancel = useMutation({
    mutationFn: () => api.cancelShow(showId),
    onSuccess: () => {
      setAsking(false);
      void cache.invalidateQueries({ queryKey: SHOWS });
    },
  });
  return (
    <>
      <button type="button" className="small plain" onClick={() => setAsking(true)}>
        Cancel the show
      </button>
      {asking && (
        <Confirm
          title="Cancel this show?"
          act="Cancel the show"
          busy={cancel.isPending}
          error={cancel.error}
          onAct={() => cancel.mutate()}
          onClose={() => setAsking(false)}
        >
          “{title}” is taken back wherever it was announced, and can't go live any more.
        </Confirm>
      )}
    </>
  );
}
