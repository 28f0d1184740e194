import { JobsApi } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { PARKED } from "../cache";
import { Confirm } from "../parts/confirm";
import { Notice } from "../parts/notice";
import { Problem } from "../parts/problem";
import { type JobTrouble, jobTroublesOf } from "./job-words";

const LOOK_MS = 15_000;

/** What the hub tried for hours, or was refused for good: it waits for a person. */
export function ParkedJobs() {
  const api = useMemo(() => new JobsApi(), []);
  const jobs = useQuery({
    queryKey: PARKED,
    queryFn: ({ signal }) => api.parked(signal),
    refetchInterval: LOOK_MS,
  });
  if (!jobs.data?.length) return null;
  return (
    <div className="stack tight">
      {jobTroublesOf(jobs.data).map((trouble) => (
        <JobNotice key={trouble.key} trouble={trouble} api={api} />
      ))}
    </div>
  );
}

function JobNotice({ trouble, api }: { trouble: JobTrouble; api: JobsApi }) {
  const cache = useQueryClient();
  const [asking, setAsking] = useState(false);
  const onSettled = () => cache.invalidateQueries({ queryKey: PARKED });
  const retry = useMutation({
    mutationFn: () => Promise.all(trouble.ids.map((id) => api.retry(id))),
    onSettled,
  });
  const forget = useMutation({
    mutationFn: () => Promise.all(trouble.ids.map((id) => api.forget(id))),
    onSuccess: () => setAsking(false),
    onSettled,
  });
  const busy = retry.isPending || forget.isPending;
  const buttons = (
    <span className="row">
      <button type="button" className="small" disabled={busy} onClick={() => retry.mutate()}>
        {retry.isPending ? "Trying…" : "Retry"}
      </button>
      <button type="button" className="small" disabled={busy} onClick={() => setAsking(true)}>
        Seen to by hand
      </button>
    </span>
  );
  return (
    <>
      <Notice tone="bad" action={buttons}>
        <strong>{trouble.title}</strong> {trouble.tried} Put the cause right, then retry.
      </Notice>
      <Problem error={retry.error} />
      {asking && (
        <Confirm
          title="Take it off the list?"
          act="Take it off"
          busy={forget.isPending}
          error={forget.error}
          onAct={() => forget.mutate()}
          onClose={() => setAsking(false)}
        >
          It is not tried again. Do this when somebody has seen to it by hand.
        </Confirm>
      )}
    </>
  );
}
