import "../channels/channels.css";
import type { Segment } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { linkTo, PATHS } from "../navigation";
import { Empty } from "../parts/empty";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { dateTime, plural } from "../parts/words";
import { ruleWords } from "./benefit-words";
import { ReportCard } from "./report-card";
import { SegmentDialog } from "./segment-dialog";
import { REPORT, SEGMENTS, useBenefitsApi } from "./use-benefits";

/** Groups of people who are given something, and what that costs and brings. */
export function BenefitsPage() {
  const api = useBenefitsApi();
  const segments = useQuery({ queryKey: SEGMENTS, queryFn: ({ signal }) => api.segments(signal) });
  const report = useQuery({ queryKey: REPORT, queryFn: ({ signal }) => api.report(signal) });
  const [making, setMaking] = useState(false);
  const make = (
    <button type="button" className="primary" onClick={() => setMaking(true)}>
      New group
    </button>
  );
  return (
    <div className="page stack">
      <title>Benefits · Studio</title>
      <div className="row spread">
        <h1>Benefits for joining</h1>
        <a className="button" {...linkTo(PATHS.channels)}>
          Back to channels
        </a>
      </div>
      <section className="card stack" aria-labelledby="groups">
        <div className="row spread">
          <h2 id="groups">Groups</h2>
          {segments.data && segments.data.length > 0 && make}
        </div>
        {segments.isPending && <Loading what="groups" />}
        {segments.error && <Problem error={segments.error} retry={() => void segments.refetch()} />}
        {segments.data?.length === 0 && (
          <Empty title="No group yet" action={make}>
            Make one, then choose it under “For whom” in an offer: only these people get its price, or they get
            it first.
          </Empty>
        )}
        <ul className="lines">
          {segments.data?.map((segment) => (
            <SegmentLine key={segment.id} segment={segment} />
          ))}
        </ul>
      </section>
      {report.isPending && <Loading what="figures" />}
      {report.error && <Problem error={report.error} retry={() => void report.refetch()} />}
      {report.data && <ReportCard report={report.data} />}
      {making && <SegmentDialog onClose={() => setMaking(false)} />}
    </div>
  );
}

function SegmentLine({ segment }: { segment: Segment }) {
  const api = useBenefitsApi();
  const cache = useQueryClient();
  const again = { onSuccess: () => cache.invalidateQueries({ queryKey: SEGMENTS }) };
  const count = useMutation({ mutationFn: () => api.count(segment.id), ...again });
  const remove = useMutation({ mutationFn: () => api.remove(segment.id), ...again });
  const busy = count.isPending || remove.isPending;
  return (
    <li className="stack tight">
      <div className="row spread">
        <span className="wrap">
          <strong>{segment.name}</strong>{" "}
          <span className="quiet-text">
            {ruleWords(segment)} · {plural(segment.people, "person", "people")}
            {segment.counted_at ? `, counted ${dateTime(segment.counted_at)}` : ""}
          </span>
        </span>
        <span className="row">
          <button type="button" className="small" disabled={busy} onClick={() => count.mutate()}>
            {count.isPending ? "Counting…" : "Count now"}
            <span className="visually-hidden">: {segment.name}</span>
          </button>
          <button type="button" className="small" disabled={busy} onClick={() => remove.mutate()}>
            Remove<span className="visually-hidden">: {segment.name}</span>
          </button>
        </span>
      </div>
      <Problem error={count.error ?? remove.error} />
    </li>
  );
}
