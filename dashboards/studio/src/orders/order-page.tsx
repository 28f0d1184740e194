import "./orders.css";
import { ApiError } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { linkTo, PATHS } from "../navigation";
import { Empty } from "../parts/empty";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { OrderView } from "./order-view";
import { orderKey, useOrders } from "./use-orders";

/** While money is on its way somewhere, the order is looked at again. */
const FOLLOW_MS = 2_000;

/** One order, whatever its channel. */
export function OrderPage({ id }: { id: string }) {
  const api = useOrders();
  const order = useQuery({
    queryKey: orderKey(id),
    queryFn: ({ signal }) => api.order(id, signal),
    refetchInterval: ({ state }) => (state.data && moving(state.data) ? FOLLOW_MS : false),
  });
  const missing = order.error instanceof ApiError && [404, 422].includes(order.error.status);
  return (
    <div className="page stack">
      <title>{`${order.data ? `Order ${order.data.number}` : "Order"} · Studio`}</title>
      <a {...linkTo(PATHS.orders)}>All orders</a>
      {!order.data && <h1>Order</h1>}
      {missing && (
        <Empty title="There is no such order">The address may be mistyped. Look for the order in the list.</Empty>
      )}
      {order.error && !missing && <Problem error={order.error} retry={() => void order.refetch()} />}
      {order.isPending && <Loading what="the order" />}
      {order.data && <OrderView order={order.data} />}
    </div>
  );
}

function moving(order: { state: string; refunds: { state: string }[] }): boolean {
  return order.state === "authorising" || order.refunds.some(({ state }) => state === "queued" || state === "sent");
}
