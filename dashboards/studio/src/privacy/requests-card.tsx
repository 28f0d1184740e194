import type { PrivacyApi, RightsRequest } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Loading } from "../parts/loading";
import { Notice } from "../parts/notice";
import { Pill } from "../parts/pill";
import { Problem } from "../parts/problem";
import { proofFile, stateOf } from "./privacy-words";

export const REQUESTS = ["privacy", "requests"];
export const BUSY_MS = 1_500;

export const isBusy = (request: RightsRequest) => request.state === "queued" || request.state === "working";

/** Copies and erasures, how far they are, and what came of them. */
export function RequestsCard({ api, owner }: { api: PrivacyApi; owner: boolean }) {
  const requests = useQuery({
    queryKey: REQUESTS,
    queryFn: ({ signal }) => api.requests(signal),
    refetchInterval: (query) => (query.state.data?.some(isBusy) ? BUSY_MS : false),
  });
  return (
    <section className="card stack" aria-labelledby="privacy-requests">
      <h2 id="privacy-requests">Requests</h2>
      {requests.isPending && <Loading what="requests" />}
      <Problem error={requests.error} retry={() => void requests.refetch()} />
      {requests.data?.length === 0 && <p>Nobody has asked for a copy or to be forgotten.</p>}
      {requests.data?.map((one) => <RequestLine key={one.id} request={one} api={api} owner={owner} />)}
    </section>
  );
}

/** One request: how far it is, and what can be done about it. */
export function RequestLine({ request, api, owner }: { request: RightsRequest; api: PrivacyApi; owner: boolean }) {
  const cache = useQueryClient();
  const again = useMutation({
    mutationFn: () => api.again(request.id),
    onSettled: () => cache.invalidateQueries({ queryKey: REQUESTS }),
  });
  const { label, tone } = stateOf(request);
  const what = request.kind === "erase" ? "Erasure" : "Copy";
  return (
    <div className="stack tight">
      <div className="row spread">
        <p>
          <strong>{what}</strong> asked for {request.by_staff ? "by staff" : "by the buyer"} on{" "}
          {new Date(request.asked_at).toLocaleString()}
        </p>
        <span className="row">
          <Pill tone={tone}>{label}</Pill>
          {owner && request.kind === "export" && request.state === "done" && (
            <a className="button small" href={api.fileOf(request.id)} download>
              Download
            </a>
          )}
          {request.kind === "erase" && request.state === "done" && (
            <a className="button small" href={proofFile(request)} download={`erasure-${request.id}.json`}>
              Proof
            </a>
          )}
          {owner && request.kind === "erase" && request.state === "failed" && (
            <button type="button" className="small" disabled={again.isPending} onClick={() => again.mutate()}>
              Try again
            </button>
          )}
        </span>
      </div>
      {isBusy(request) && <progress aria-label={what} max={request.steps || 1} value={request.step} />}
      {request.problem && <Notice tone={request.state === "failed" ? "bad" : "quiet"}>{request.problem}</Notice>}
      <Problem error={again.error} />
    </div>
  );
}
