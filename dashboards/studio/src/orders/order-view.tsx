import { formatMoney, type OrderDetail } from "@simulcast/api";
import { useState } from "react";
import { Notice } from "../parts/notice";
import { Pill } from "../parts/pill";
import { PlatformBadge } from "../parts/platform-badge";
import { dateTime } from "../parts/words";
import { ORDER_STATES } from "../show/orders/order-words";
import { BuyerCard } from "./buyer-card";
import { CancelDialog } from "./cancel-dialog";
import { DeliveryDialog } from "./delivery-dialog";
import { LinesCard } from "./lines-card";
import { MoneyCard } from "./money-card";
import { RefundDialog } from "./refund-dialog";
import { ReturnDialog } from "./return-dialog";
import { ReturnsCard } from "./returns-card";
import { rightsWords } from "./sale-words";
import { TimelineCard } from "./timeline-card";

type Open = "refund" | "cancel" | "return" | "delivery" | null;

/** The order, and what can be done with it. */
export function OrderView({ order }: { order: OrderDetail }) {
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const { label, tone } = ORDER_STATES[order.state];
  const own = order.channel === "own";
  const alive = own && ["reserved", "authorising", "review", "paid"].includes(order.state);
  const sent = Boolean(order.delivery?.sent_at ?? order.delivery?.delivered_at);
  const returnable = order.lines.some((line) => line.returnable > 0);
  return (
    <>
      <div className="row spread">
        <h1 className="wrap">Order {order.number}</h1>
        <span className="row">
          <PlatformBadge platform={order.channel} />
          {order.test && <Pill tone="quiet">Test</Pill>}
          <Pill tone={tone}>{label}</Pill>
        </span>
      </div>
      <p className="quiet-text wrap">
        Placed {dateTime(order.placed_at)} · {formatMoney(order.total_minor, order.currency)}
        {order.message && ` · ${order.message}`}
      </p>
      {!own && (
        <Notice tone="busy">
          This order was placed on another platform. Refund or cancel it there; it shows here by itself.
        </Notice>
      )}
      {own && (
        <div className="row">
          <button
            type="button"
            className="primary"
            disabled={order.left_minor === 0}
            onClick={() => setOpen("refund")}
          >
            Refund…
          </button>
          <button type="button" disabled={order.state !== "paid" || !returnable} onClick={() => setOpen("return")}>
            Begin a return…
          </button>
          <button type="button" disabled={!alive} onClick={() => setOpen("delivery")}>
            {sent ? "Change delivery…" : "Note delivery…"}
          </button>
          <button type="button" className="danger" disabled={!alive || sent} onClick={() => setOpen("cancel")}>
            Cancel order…
          </button>
        </div>
      )}
      {alive && (
        <ul className="quiet-text">
          {rightsWords(order.rights, Date.now()).map((words) => (
            <li key={words}>{words}</li>
          ))}
        </ul>
      )}
      <div className="order-columns">
        <div className="stack">
          <LinesCard order={order} />
          <MoneyCard order={order} />
          <ReturnsCard order={order} />
        </div>
        <div className="stack">
          <BuyerCard order={order} />
          <TimelineCard order={order} />
        </div>
      </div>
      {open === "refund" && <RefundDialog order={order} onClose={close} />}
      {open === "cancel" && <CancelDialog order={order} onClose={close} />}
      {open === "return" && <ReturnDialog order={order} onClose={close} />}
      {open === "delivery" && <DeliveryDialog order={order} onClose={close} />}
    </>
  );
}
