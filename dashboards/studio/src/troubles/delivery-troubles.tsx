import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useApi } from "../api";
import { CONNECTIONS, TROUBLES } from "../cache";
import { Notice } from "../parts/notice";
import { Problem } from "../parts/problem";
import { type Trouble, troublesOf } from "./trouble-words";

/** How often it is looked whether there are any, and whether those that are worked on are done. */
const LOOK_MS = 15_000;
const FOLLOW_MS = 2_000;

/** What platforms told us and we could not use: orders may be missing until somebody looks. */
export function DeliveryTroubles() {
  const api = useApi();
  const troubles = useQuery({
    queryKey: TROUBLES,
    queryFn: ({ signal }) => api.deliveries(signal),
    refetchInterval: ({ state }) => (state.data?.some((one) => one.state === "stored") ? FOLLOW_MS : LOOK_MS),
  });
  const some = Boolean(troubles.data?.length);
  const connections = useQuery({
    queryKey: CONNECTIONS,
    queryFn: ({ signal }) => api.connections(signal),
    enabled: some,
  });
  if (!troubles.data || !some || connections.isPending) return null;
  return (
    <div className="stack tight">
      {troublesOf(troubles.data, connections.data ?? []).map((trouble) => (
        <TroubleNotice key={trouble.key} trouble={trouble} />
      ))}
    </div>
  );
}

function TroubleNotice({ trouble }: { trouble: Trouble }) {
  const api = useApi();
  const cache = useQueryClient();
  const retry = useMutation({
    mutationFn: () => Promise.all(trouble.ids.map((id) => api.retryDelivery(id))),
    onSettled: () => cache.invalidateQueries({ queryKey: TROUBLES }),
  });
  const button = trouble.parked && (
    <button type="button" className="small" disabled={retry.isPending} onClick={() => retry.mutate()}>
      {retry.isPending ? "Trying…" : "Retry"}
    </button>
  );
  return (
    <>
      <Notice tone={trouble.parked ? "bad" : "warn"} action={button}>
        <strong>{trouble.title}</strong> {trouble.reasons.join(" ")}{" "}
        {trouble.parked
          ? "Orders and payments they tell of may be missing here. Put the cause right, then retry."
          : "This is tried again by itself."}
      </Notice>
      <Problem error={retry.error} />
    </>
  );
}
