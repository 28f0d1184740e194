import { formatMoney, type OrderRow } from "@simulcast/api";
import { linkTo, PATHS } from "../navigation";
import { Pill } from "../parts/pill";
import { PlatformBadge } from "../parts/platform-badge";
import { dateTime } from "../parts/words";
import { ORDER_STATES } from "../show/orders/order-words";

/** One order of the list; all of it leads to the order. */
export function OrderLine({ order }: { order: OrderRow }) {
  const { label, tone } = ORDER_STATES[order.state];
  const partly = order.refunded_minor > 0 && order.state !== "refunded";
  return (
    <li>
      <a className="order-line" {...linkTo(PATHS.order(order.id))}>
        <span className="row">
          <PlatformBadge platform={order.channel} />
          <strong className="wrap">{order.number}</strong>
          <span className="grow wrap">{order.buyer_name ?? "Guest"}</span>
          <span className="number">{formatMoney(order.total_minor, order.currency)}</span>
        </span>
        <span className="row spread">
          <span className="quiet-text grow wrap">
            {dateTime(order.placed_at)}
            {order.show_title && ` · ${order.show_title}`} · {order.lines ?? "no lines"}
          </span>
          <span className="row">
            {order.test && <Pill tone="quiet">Test</Pill>}
            {order.open_return && <Pill tone="warn">Return</Pill>}
            {partly && (
              <Pill tone="warn">{`${formatMoney(order.refunded_minor, order.currency)} given back`}</Pill>
            )}
            <Pill tone={tone}>{label}</Pill>
          </span>
        </span>
      </a>
    </li>
  );
}
