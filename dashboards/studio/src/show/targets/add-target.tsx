import type { Target } from "@simulcast/api";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useApi } from "../../api";
import { CONNECTIONS } from "../../cache";
import { linkTo, PATHS } from "../../navigation";
import { Problem } from "../../parts/problem";

interface Props {
  showId: string;
  targets: Target[];
  onAdded: () => Promise<unknown>;
}

/** One more linked account that can take the stream. */
export function AddTarget({ showId, targets, onAdded }: Props) {
  const id = useId();
  const [chosen, setChosen] = useState("");
  const api = useApi();
  const connections = useQuery({ queryKey: CONNECTIONS, queryFn: ({ signal }) => api.connections(signal) });
  const add = useMutation({
    mutationFn: async (connectionId: string) => {
      await api.addTarget(showId, connectionId);
      setChosen("");
      await onAdded();
    },
  });
  const used = new Set(targets.map((target) => target.connection_id));
  const free = connections.data?.filter(
    (one) => one.capabilities.includes("destination") && !used.has(one.id),
  );
  if (!free?.length) {
    return (
      <p className="quiet-text">
        <a {...linkTo(PATHS.connections)}>Link another account</a> to send the show to more places.
      </p>
    );
  }
  return (
    <div className="stack tight">
      <div className="row add-target">
        <label className="visually-hidden" htmlFor={id}>
          Account to add
        </label>
        <select id={id} className="bare" value={chosen} onChange={(event) => setChosen(event.target.value)}>
          <option value="">Choose an account to add…</option>
          {free.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </select>
        <button type="button" disabled={!chosen || add.isPending} onClick={() => add.mutate(chosen)}>
          Add target
        </button>
      </div>
      <Problem error={add.error} />
    </div>
  );
}
