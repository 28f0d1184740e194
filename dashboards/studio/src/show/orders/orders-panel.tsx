import { formatMoney, type Sales, type ShowOrder } from "@simulcast/api";
import { memo } from "react";
import { platformName } from "../../parts/words";
import { Panel } from "../panel";
import { LatestOrders } from "./latest-orders";
import { sourceName } from "./order-words";
import { SalesTable } from "./sales-table";

interface Props {
  sales: Sales;
  orders: ShowOrder[];
}

/** What was sold, where, by which visit, and the newest orders. */
export const OrdersPanel = memo(function OrdersPanel({ sales, orders }: Props) {
  const { currency } = sales;
  return (
    <Panel id="orders" title="Orders">
      <dl className="totals number">
        <Total title="Revenue" value={formatMoney(sales.revenue_minor, currency)} />
        <Total title="Paid orders" value={String(sales.orders)} />
        <Total title="Customers" value={String(sales.customers)} />
        <Total title="Sold out" value={String(sales.sold_out)} />
      </dl>
      {sales.orders > 0 && (
        <>
          <SalesTable
            title="By channel"
            currency={currency}
            rows={sales.by_channel.map((row) => ({ ...row, name: platformName(row.channel) }))}
          />
          <SalesTable
            title="By first touch"
            note="The tagged link that first brought the buyer."
            currency={currency}
            rows={sales.by_first_touch.map((row) => ({ ...row, name: sourceName(row.source) }))}
          />
          <SalesTable
            title="By last touch"
            note="The tagged link the buyer came by last."
            currency={currency}
            rows={sales.by_last_touch.map((row) => ({ ...row, name: sourceName(row.source) }))}
          />
        </>
      )}
      <LatestOrders orders={orders} />
    </Panel>
  );
});

function Total({ title, value }: { title: string; value: string }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{value}</dd>
    </div>
  );
}
