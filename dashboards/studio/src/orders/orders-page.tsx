import "./orders.css";
import type { OrderFilter } from "@simulcast/api";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { linkTo, PATHS } from "../navigation";
import { Empty } from "../parts/empty";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { OpenReturns } from "./open-returns";
import { OrderFilters } from "./order-filters";
import { OrderLine } from "./order-line";
import { ReturnFigures } from "./return-figures";
import { ORDERS, useOrders } from "./use-orders";

/** Every order of every channel, newest first. */
export function OrdersPage() {
  const api = useOrders();
  const [filter, setFilter] = useState<OrderFilter>({});
  const orders = useInfiniteQuery({
    queryKey: [...ORDERS, filter],
    queryFn: ({ pageParam, signal }) => api.list(filter, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
  });
  const rows = orders.data?.pages.flatMap((page) => page.orders) ?? [];
  const filtered = Object.values(filter).some(Boolean);
  return (
    <div className="page stack">
      <title>Orders · Studio</title>
      <div className="row spread">
        <h1>Orders</h1>
        <a className="button" {...linkTo(PATHS.shop)}>
          Returns and invoices
        </a>
      </div>
      <OpenReturns />
      <OrderFilters filter={filter} onFilter={setFilter} exportUrl={api.exportUrl} />
      {orders.error && <Problem error={orders.error} retry={() => void orders.refetch()} />}
      {orders.isPending && <Loading what="orders" />}
      {orders.data && rows.length === 0 && <NoOrders filtered={filtered} onAll={() => setFilter({})} />}
      <ul className="lines order-list" aria-label="Orders" aria-busy={orders.isPlaceholderData}>
        {rows.map((order) => (
          <OrderLine key={order.id} order={order} />
        ))}
      </ul>
      {orders.hasNextPage && (
        <button type="button" disabled={orders.isFetching} onClick={() => void orders.fetchNextPage()}>
          {orders.isFetchingNextPage ? "Loading…" : "Show more orders"}
        </button>
      )}
      <ReturnFigures />
    </div>
  );
}

function NoOrders({ filtered, onAll }: { filtered: boolean; onAll: () => void }) {
  if (!filtered) {
    return (
      <Empty title="No orders yet">
        Orders of every channel appear here as they come in: from the watch page, from chats and from your shops.
      </Empty>
    );
  }
  const all = (
    <button type="button" onClick={onAll}>
      Show all orders
    </button>
  );
  return (
    <Empty title="No order fits" action={all}>
      Look for the whole order number, a part of a name, a SKU, or a whole e-mail address.
    </Empty>
  );
}
