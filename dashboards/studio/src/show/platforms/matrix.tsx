import "./platforms.css";
import type { Target } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { useApi } from "../../api";
import { CONNECTORS } from "../../cache";
import { Loading } from "../../parts/loading";
import { Problem } from "../../parts/problem";
import { columnNames, everywhere, matrixOf, nowhere, reasons, type Row } from "./matrix-words";

/** What works on which of the show's platforms, and why not: known before anybody goes live. */
export function Matrix({ targets }: { targets: Target[] }) {
  const api = useApi();
  const connectors = useQuery({
    queryKey: CONNECTORS,
    queryFn: ({ signal }) => api.connectors(signal),
    staleTime: Infinity,
  });
  if (connectors.error) return <Problem error={connectors.error} retry={() => void connectors.refetch()} />;
  if (!connectors.data) return <Loading what="what works where" />;
  const rows = matrixOf(targets, connectors.data);
  const all = everywhere(rows);
  const none = nowhere(rows);
  const others = rows.filter(({ title }) => !all.includes(title) && !none.includes(title));
  return (
    <div className="stack tight">
      {all.length > 0 && (
        <p className="quiet-text">
          <strong>On all of them:</strong> {all.join(" · ")}.
        </p>
      )}
      {others.length > 0 && <Table names={columnNames(targets)} rows={others} />}
      {none.length > 0 && (
        <p className="quiet-text">
          <strong>On none of them:</strong> {none.join(" · ")}.
        </p>
      )}
    </div>
  );
}

/** A tick or a dash for each target, and under each line why the dashes are there. */
function Table({ names, rows }: { names: string[]; rows: Row[] }) {
  return (
    <div className="table-scroll matrix-scroll" tabIndex={0} role="group" aria-label="What works where">
      <table className="matrix" aria-label="What works where, and why not">
        <thead>
          <tr>
            <td />
            {names.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        {rows.map((row) => (
          <tbody key={row.title}>
            <tr>
              <th scope="row">{row.title}</th>
              {row.cells.map(({ works }, index) => (
                <td key={names[index]} className={works ? "yes" : "no"}>
                  <span aria-hidden="true">{works ? "✓" : "–"}</span>
                  <span className="visually-hidden">{works ? "yes" : "no"}</span>
                </td>
              ))}
            </tr>
            {reasons(row, names).map(({ who, why }) => (
              <tr key={who} className="why">
                <td colSpan={names.length + 1}>
                  <span>
                    <strong>{who}:</strong> {why}
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}
