import { formatMoney, type ShowOrder } from "@simulcast/api";
import { memo } from "react";
import { PlatformBadge } from "../../parts/platform-badge";
import { timeOfDay } from "../../parts/words";
import { linesOf } from "../orders/order-words";

export const SaleLine = memo(function SaleLine({ order }: { order: ShowOrder }) {
  return (
    <li className="special sale">
      <div className="said">
        <PlatformBadge platform={order.channel} />
        <span className="kind number">Sold {formatMoney(order.total_minor, order.currency)}</span>
        <span>
          {order.buyer_name ?? "Guest"}: {linesOf(order)}
        </span>
        <time dateTime={order.placed_at}>{timeOfDay(order.placed_at)}</time>
      </div>
    </li>
  );
});
