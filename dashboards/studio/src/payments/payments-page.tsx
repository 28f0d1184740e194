import "./payments.css";
import { type PaymentGateway, PaymentsApi } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type DragEvent, useMemo, useState } from "react";
import { linkTo, PATHS } from "../navigation";
import { Empty } from "../parts/empty";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { GatewayCard } from "./gateway-card";
import { moved } from "./payment-words";
import { Troubles } from "./troubles";

const GATEWAYS = ["payment-gateways"];
const READ_EVERY_MS = 10_000;

/** Which gateway takes the money, how fast each is, and which payments need a person. */
export function PaymentsPage() {
  const api = useMemo(() => new PaymentsApi(), []);
  const cache = useQueryClient();
  const gateways = useQuery({
    queryKey: GATEWAYS,
    queryFn: ({ signal }) => api.gateways(signal),
    refetchInterval: READ_EVERY_MS,
  });
  const arrange = useMutation({
    mutationFn: (ids: string[]) => api.arrange(ids),
    onSuccess: (rows) => cache.setQueryData(GATEWAYS, rows),
    onError: () => void gateways.refetch(),
  });
  const rows = gateways.data ?? [];
  const move = (from: number, to: number) => {
    if (from === to || to < 0 || to >= rows.length || arrange.isPending) return;
    arrange.mutate(
      moved(
        rows.map((row) => row.connection_id),
        from,
        to,
      ),
    );
  };
  return (
    <div className="page stack">
      <title>Payments · Studio</title>
      <h1>Payments</h1>
      <Troubles api={api} />
      <section className="stack" aria-labelledby="gateways">
        <h2 id="gateways">Gateways, in their order of use</h2>
        {gateways.isPending && <Loading what="gateways" />}
        {gateways.error && <Problem error={gateways.error} retry={() => void gateways.refetch()} />}
        {gateways.data && !rows.length && (
          <Empty title="No gateway is linked" action={<a {...linkTo(PATHS.connections)}>Link one</a>}>
            Without one nobody can pay on your own site.
          </Empty>
        )}
        <Problem error={arrange.error} />
        {rows.length > 0 && (
          <Ordered
            rows={rows}
            move={move}
            api={api}
            changed={(fresh) => cache.setQueryData(GATEWAYS, fresh)}
          />
        )}
      </section>
    </div>
  );
}

interface OrderedProps {
  rows: PaymentGateway[];
  move: (from: number, to: number) => void;
  api: PaymentsApi;
  changed: (rows: PaymentGateway[]) => void;
}

/** Moved by dragging, or by the buttons of each card. */
function Ordered({ rows, move, api, changed }: OrderedProps) {
  const [dragged, setDragged] = useState<number | null>(null);
  const drop = (event: DragEvent, to: number) => {
    event.preventDefault();
    if (dragged !== null) move(dragged, to);
    setDragged(null);
  };
  return (
    <ol className="gateways">
      {rows.map((row, place) => (
        <li
          key={row.connection_id}
          className="card gateway"
          draggable={rows.length > 1}
          onDragStart={() => setDragged(place)}
          onDragEnd={() => setDragged(null)}
          onDragOver={(event) => event.preventDefault()}
          onDrop={(event) => drop(event, place)}
        >
          <GatewayCard gateway={row} place={place} count={rows.length} move={move} api={api} changed={changed} />
        </li>
      ))}
    </ol>
  );
}
