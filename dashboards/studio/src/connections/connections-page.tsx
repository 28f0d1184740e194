import "./connections.css";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "../api";
import { CONNECTIONS, CONNECTORS } from "../cache";
import { linkTo, PATHS } from "../navigation";
import { Empty } from "../parts/empty";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { DeliveryTroubles } from "../troubles/delivery-troubles";
import { ShopReport } from "../troubles/shop-report";
import { ConnectionCard } from "./connection-card";
import { Landing } from "./landing";
import { LinkDialog } from "./link-dialog";

/** Allowances are used, and logins renewed, while one looks at them. */
const LOOK_MS = 30_000;

export function ConnectionsPage() {
  const api = useApi();
  const connections = useQuery({
    queryKey: CONNECTIONS,
    queryFn: ({ signal }) => api.connections(signal),
    refetchInterval: LOOK_MS,
  });
  const connectors = useQuery({
    queryKey: CONNECTORS,
    queryFn: ({ signal }) => api.connectors(signal),
    staleTime: Infinity,
  });
  const [linking, setLinking] = useState(false);
  const error = connections.error ?? connectors.error;
  const retry = () => {
    void connections.refetch();
    void connectors.refetch();
  };
  const link = (
    <button type="button" className="primary" disabled={!connectors.data} onClick={() => setLinking(true)}>
      Link an account
    </button>
  );
  const byState = [...(connections.data ?? [])].sort(
    (a, b) => Number(a.state === "ok") - Number(b.state === "ok"),
  );
  return (
    <div className="page stack">
      <title>Connections · Studio</title>
      <div className="row spread">
        <h1>Connections</h1>
        <a {...linkTo(PATHS.conversions)}>Conversions</a>
        {byState.length ? link : null}
      </div>
      {error && <Problem error={error} retry={retry} />}
      {connections.data && <Landing connections={connections.data} />}
      <DeliveryTroubles />
      {connections.isPending && <Loading what="your accounts" />}
      {connections.data?.length === 0 && (
        <Empty title="No accounts linked yet" action={link}>
          Link the platforms your show plays on, the shops you sell in, and the payment service of your watch
          page.
        </Empty>
      )}
      <ul className="stack">
        {byState.map((connection) => (
          <ConnectionCard
            key={connection.id}
            connection={connection}
            connector={connectors.data?.find((one) => one.name === connection.connector)}
          />
        ))}
      </ul>
      <ShopReport />
      {linking && connectors.data && (
        <LinkDialog
          connectors={connectors.data}
          connections={connections.data ?? []}
          onClose={() => setLinking(false)}
        />
      )}
    </div>
  );
}
