import type { QualityRegion, RegionAlarmKind } from "@simulcast/api";
import { Pill } from "../../parts/pill";
import { plural } from "../../parts/words";
import { percent, secs } from "./quality-words";
import { regionName, sourceWords } from "./region-words";

const ALARMS: Record<RegionAlarmKind, string> = { startup: "Slow to start", stalls: "Stands still" };

/** Each region's viewers beside the others'. */
export function RegionTable({ regions }: { regions: QualityRegion[] }) {
  return (
    <div className="stack tight">
      {/* Focusable, so that it can be scrolled without a mouse. */}
      <div className="table-scroll" role="region" aria-label="By region" tabIndex={0}>
        <table className="sales seen-regions number">
          <caption>By region</caption>
          <thead>
            <tr>
              <th scope="col">Region</th>
              <th scope="col">Watching</th>
              <th scope="col">First picture</th>
              <th scope="col">Still</th>
              <th scope="col">Behind</th>
            </tr>
          </thead>
          <tbody>
            {regions.map((one) => (
              <Row key={one.region ?? ""} one={one} />
            ))}
          </tbody>
        </table>
      </div>
      <p className="quiet-text">{sourceWords(regions)}</p>
    </div>
  );
}

function Row({ one }: { one: QualityRegion }) {
  return (
    <tr>
      <th scope="row">
        {regionName(one.region)} <span className="quiet-text">{plural(one.sessions, "visit")}</span>
        {one.without_picture > 0 && <span className="quiet-text">, {one.without_picture} without a picture</span>}
        {one.alarms.map((kind) => (
          <Pill key={kind} tone="bad">
            {ALARMS[kind]}
          </Pill>
        ))}
      </th>
      <td>{one.viewers}</td>
      <td>{one.startup.median === null ? "–" : secs(one.startup.median)}</td>
      <td>{one.rebuffer.value === null ? "–" : percent(one.rebuffer.value)}</td>
      <td>{one.latency.median === null ? "–" : secs(one.latency.median)}</td>
    </tr>
  );
}
