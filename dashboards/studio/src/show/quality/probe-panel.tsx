import "./quality.css";
import { type ProbePlace, type ProbeRun, ProbesApi } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { memo, useMemo, useState } from "react";
import { QUALITY } from "../../cache";
import { Confirm } from "../../parts/confirm";
import { Loading } from "../../parts/loading";
import { Problem } from "../../parts/problem";
import { dateTime } from "../../parts/words";
import { Fold } from "../fold";
import { Panel } from "../panel";
import { ProbeDay } from "./probe-day";
import { PlaceForm, ProbeToken } from "./probe-setup";
import { percent, secs } from "./quality-words";
import { hoursOf, planWords } from "./region-words";

const DAYS = 30;
const EVERY_MS = 15_000;
const MOST = 20;
const PLACES = [...QUALITY, "places"];
const RUNS = [...QUALITY, "runs"];

/** How shows play in each region, by the hour of its day. */
export const ProbePanel = memo(function ProbePanel() {
  const api = useMemo(() => new ProbesApi(), []);
  const places = useQuery({ queryKey: PLACES, queryFn: ({ signal }) => api.places(signal) });
  const runs = useQuery({
    queryKey: RUNS,
    queryFn: ({ signal }) => api.runs(DAYS, signal),
    refetchInterval: EVERY_MS,
    enabled: Boolean(places.data?.length),
  });
  return (
    <Panel id="probes" title="Probes by region and hour">
      {places.error && <Problem error={places.error} retry={() => void places.refetch()} />}
      {!places.data && !places.error && <Loading what="the regions" />}
      {places.data?.length === 0 && (
        <p className="quiet-text">
          Name the regions you sell to, and the hub plays your live show, or your newest replay, at their local hours.
        </p>
      )}
      {places.data?.map((place) => (
        <Place key={place.id} place={place} runs={runs.data ?? []} api={api} />
      ))}
      {Boolean(places.data?.length) && (
        <p className="quiet-text">
          Each column is an hour of the region’s own day: how long the first picture took, over the last {DAYS} days. Red
          at the top: a run failed. A probe of this hub measures the way from the hub to the CDN; how it is in a region
          only a machine there can tell. Where one reports, its runs alone are drawn.
        </p>
      )}
      {runs.data && runs.data.length > 0 && (
        <Fold title="Newest runs">
          <Runs runs={runs.data.slice(0, MOST)} places={places.data ?? []} />
        </Fold>
      )}
      <Fold title="Add a region">
        <PlaceForm api={api} changed={PLACES} />
      </Fold>
      <Fold title="Probe from elsewhere">
        <ProbeToken api={api} />
      </Fold>
    </Panel>
  );
});

function Place({ place, runs, api }: { place: ProbePlace; runs: ProbeRun[]; api: ProbesApi }) {
  const cache = useQueryClient();
  const [asking, setAsking] = useState(false);
  const now = useMutation({ mutationFn: () => api.probeNow(place.id) });
  const remove = useMutation({
    mutationFn: () => api.removePlace(place.id),
    onSuccess: () => setAsking(false),
    onSettled: () => cache.invalidateQueries({ queryKey: QUALITY }),
  });
  return (
    <section className="stack tight" aria-label={place.name}>
      <div className="row spread">
        <h3>{place.name}</h3>
        <span className="row">
          <button type="button" className="small" disabled={now.isPending} onClick={() => now.mutate()}>
            {now.isPending ? "Probing…" : "Probe now"}
          </button>
          <button type="button" className="small" onClick={() => setAsking(true)}>
            Remove
          </button>
        </span>
      </div>
      <p className="quiet-text">
        {planWords(place)}
        {place.base_url && ` Played from ${place.base_url}.`}
      </p>
      <ProbeDay hours={hoursOf(runs, place.id)} />
      <Problem error={now.error} />
      {asking && (
        <Confirm
          title={`Remove ${place.name}?`}
          act="Remove"
          busy={remove.isPending}
          error={remove.error}
          onAct={() => remove.mutate()}
          onClose={() => setAsking(false)}
        >
          Its runs are removed, too.
        </Confirm>
      )}
    </section>
  );
}

function Runs({ runs, places }: { runs: ProbeRun[]; places: ProbePlace[] }) {
  const name = (id: string) => places.find((one) => one.id === id)?.name ?? "";
  return (
    <div className="table-scroll" role="region" aria-label="Newest runs" tabIndex={0}>
      <table className="sales seen-players number">
        <thead>
          <tr>
            <th scope="col">Region</th>
            <th scope="col">First picture</th>
            <th scope="col">Still</th>
            <th scope="col">Behind</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((one) => (
            <tr key={one.id}>
              <th scope="row">
                {name(one.place_id)}{" "}
                <span className="quiet-text">
                  {dateTime(one.at)}, {one.source === "there" ? "reported from there" : "from this hub"}
                  {one.show_title && `, “${one.show_title}”`}. {one.error}
                </span>
              </th>
              <td>{one.startup_ms === null ? "never" : secs(one.startup_ms)}</td>
              <td>{one.rebuffer_ratio === null ? "–" : percent(one.rebuffer_ratio)}</td>
              <td>{one.latency_ms === null ? "–" : secs(one.latency_ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
