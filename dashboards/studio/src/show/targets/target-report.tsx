import type { Target } from "@simulcast/api";
import { share, size } from "../../parts/amounts";

/** What became of each target, when the show is over. */
export function TargetReport({ targets }: { targets: Target[] }) {
  const pushed = targets.filter(
    (target) => target.seconds_wanted > 0 || target.bytes_sent > 0 || (target.wanted && !target.removed),
  );
  if (!pushed.length) return null;
  return (
    <div className="table-scroll" tabIndex={0} role="group" aria-label="Report of the targets">
      <table className="sales">
        <caption>
          How it went <span className="quiet-text">On air: share of the time it should have been</span>
        </caption>
        <thead>
          <tr>
            <th scope="col">Target</th>
            <th scope="col">On air</th>
            <th scope="col">Most viewers</th>
            <th scope="col">Sent</th>
            <th scope="col">Reconnects</th>
            <th scope="col">Gaps</th>
          </tr>
        </thead>
        <tbody className="number">
          {pushed.map((target) => (
            <tr key={target.id}>
              <th scope="row">
                {target.name}
                {target.removed && " (removed)"}
              </th>
              <td>{share(target.seconds_live, target.seconds_wanted)}</td>
              <td>{target.viewers_peak ?? "–"}</td>
              <td>{size(target.bytes_sent)}</td>
              <td>{Math.max(0, target.connects - 1)}</td>
              <td>{target.gaps}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
