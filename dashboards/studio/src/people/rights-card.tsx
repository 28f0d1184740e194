import "../privacy/privacy.css";
import { type PersonDetail, PrivacyApi } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Problem } from "../parts/problem";
import { EraseDialog } from "../privacy/erase-dialog";
import { BUSY_MS, isBusy, REQUESTS, RequestLine } from "../privacy/requests-card";
import { NOBODY } from "./people-words";

interface Props {
  person: PersonDetail;
  role: string;
  api?: PrivacyApi;
}

/** A copy of all that is kept about them, or the end of it; and what came of both before. */
export function RightsCard({ person, role, api: given }: Props) {
  const api = useMemo(() => given ?? new PrivacyApi(), [given]);
  const cache = useQueryClient();
  const owner = role === "owner";
  const [erasing, setErasing] = useState(false);
  const requests = useQuery({
    queryKey: REQUESTS,
    queryFn: ({ signal }) => api.requests(signal),
    enabled: owner || role === "producer",
    refetchInterval: (query) => (query.state.data?.some(isBusy) ? BUSY_MS : false),
  });
  const copy = useMutation({
    mutationFn: () => api.askCopy(person.id),
    onSettled: () => cache.invalidateQueries({ queryKey: REQUESTS }),
  });
  const theirs = requests.data?.filter((one) => person.ids.includes(one.customer_id)) ?? [];
  const leaves = theirs.some((one) => one.kind === "erase");
  return (
    <section className="card stack" aria-labelledby="rights">
      <h2 id="rights">Their rights</h2>
      {owner ? (
        <div className="row">
          <button type="button" disabled={copy.isPending || leaves} onClick={() => copy.mutate()}>
            Copy of their data
          </button>
          <button type="button" disabled={leaves} onClick={() => setErasing(true)}>
            Erase…
          </button>
        </div>
      ) : (
        <p className="quiet-text">Only owners hand out a copy of somebody’s data, or erase them.</p>
      )}
      <Problem error={copy.error} />
      <Problem error={requests.error} retry={() => void requests.refetch()} />
      {theirs.map((one) => (
        <RequestLine key={one.id} request={one} api={api} owner={owner} />
      ))}
      {erasing && (
        <EraseDialog
          person={{ id: person.id, name: person.name ?? NOBODY }}
          api={api}
          onClose={() => setErasing(false)}
        />
      )}
    </section>
  );
}
