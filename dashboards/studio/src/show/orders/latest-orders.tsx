import { formatMoney, type ShowOrder } from "@simulcast/api";
import { useState } from "react";
import { Pill } from "../../parts/pill";
import { PlatformBadge } from "../../parts/platform-badge";
import { timeOfDay } from "../../parts/words";
import { linesOf, ORDER_STATES, orderTroubles } from "./order-words";

const FEW = 6;

export function LatestOrders({ orders }: { orders: ShowOrder[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? orders : orders.slice(0, FEW);
  return (
    <div className="stack tight">
      <h3>Latest orders</h3>
      {orders.length === 0 && (
        <p className="quiet-text">No orders yet. They appear here from every channel as they come in.</p>
      )}
      <ul className="lines" data-testid="latest-orders">
        {shown.map((order) => (
          <OrderLine key={order.id} order={order} />
        ))}
      </ul>
      {orders.length > FEW && (
        <button type="button" className="small" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show the last ${orders.length}`}
        </button>
      )}
    </div>
  );
}

function OrderLine({ order }: { order: ShowOrder }) {
  const { label, tone } = ORDER_STATES[order.state];
  return (
    <li>
      <div className="row">
        <PlatformBadge platform={order.channel} />
        <span className="grow wrap">
          {order.buyer_name ?? "Guest"} <span className="quiet-text">{order.number}</span>
        </span>
        <span className="number">{formatMoney(order.total_minor, order.currency)}</span>
      </div>
      <div className="row spread">
        <span className="quiet-text grow wrap">
          {timeOfDay(order.placed_at)} · {linesOf(order)}
        </span>
        <Pill tone={tone}>{label}</Pill>
      </div>
      {orderTroubles(order).map((trouble) => (
        <p key={trouble} className="order-trouble wrap">
          {trouble}
        </p>
      ))}
    </li>
  );
}
