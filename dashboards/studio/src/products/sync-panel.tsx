import type { Connection } from "@simulcast/api";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "../api";
import { CONNECTIONS } from "../cache";
import { linkTo, PATHS } from "../navigation";
import { CheckField } from "../parts/check-field";
import { Notice } from "../parts/notice";
import { Problem } from "../parts/problem";
import { dateTime } from "../parts/words";
import { IntakeReport } from "./intake-report";
import { countsOf, progressOf } from "./intake-words";
import { busy, useCatalog, useIntake } from "./use-catalog";

/** The shops and feeds products come from. */
export function SyncPanel() {
  const api = useApi();
  const connections = useQuery({ queryKey: CONNECTIONS, queryFn: ({ signal }) => api.connections(signal) });
  const shops = connections.data?.filter((one) => one.capabilities.includes("catalog_source")) ?? [];
  return (
    <section className="stack" aria-labelledby="sources">
      <h2 id="sources">From your shops</h2>
      <Problem error={connections.error} retry={() => void connections.refetch()} />
      {connections.data && shops.length === 0 && (
        <p className="quiet-text">
          Link a shop or a product feed under <a {...linkTo(PATHS.connections)}>Connections</a>, and its products
          can be read from here.
        </p>
      )}
      {shops.map((shop) => (
        <ShopSync key={shop.id} shop={shop} />
      ))}
    </section>
  );
}

function ShopSync({ shop }: { shop: Connection }) {
  const api = useCatalog();
  const [add, setAdd] = useState(true);
  const [overwrite, setOverwrite] = useState(false);
  const last = useIntake(["sync", shop.id], (signal) => api.lastSync(shop.id, signal));
  const begin = useMutation({
    mutationFn: () => api.sync(shop.id, { add, overwrite }),
    onSuccess: () => last.refetch(),
  });
  const found = last.data;
  const working = begin.isPending || busy(found);
  return (
    <div className="card stack tight">
      <div className="row spread">
        <div className="row">
          <span className={`badge badge-${shop.connector}`}>{shop.title}</span>
          <h3 className="wrap">{shop.name}</h3>
        </div>
        <button type="button" disabled={working || shop.state !== "ok"} onClick={() => begin.mutate()}>
          {working ? "Reading…" : "Read products"}
        </button>
      </div>
      {shop.state !== "ok" && <Notice tone="warn">Reconnect this account first.</Notice>}
      <div role="status">{found && progressOf(found, "Reading products")}</div>
      {found?.state === "running" && found.total > 0 && (
        <progress aria-label="Products done" max={found.total} value={found.done} />
      )}
      <Problem error={begin.error ?? last.error} />
      {found?.state === "failed" && <Notice tone="bad">{found.error ?? "It could not be read."}</Notice>}
      {found?.state === "done" && (
        <p className="quiet-text">
          {found.ended_at && `Read ${dateTime(found.ended_at)}: `}
          {countsOf(found)}
        </p>
      )}
      {found?.state === "done" && found.report.length > 0 && (
        <details>
          <summary>What happened</summary>
          <IntakeReport intake={found} />
        </details>
      )}
      <details>
        <summary>How to read it</summary>
        <CheckField
          label="Add products that are new there"
          help="Otherwise they wait among the unmatched listings."
          checked={add}
          onCheck={setAdd}
        />
        <CheckField
          label="Overwrite what was edited here"
          help="Otherwise a name, picture or price that you changed here stays as you made it."
          checked={overwrite}
          onCheck={setOverwrite}
        />
      </details>
    </div>
  );
}
