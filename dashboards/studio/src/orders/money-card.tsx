import { formatMoney, type OrderDetail } from "@simulcast/api";
import { Pill } from "../parts/pill";
import { closed, dateTime, platformName } from "../parts/words";
import { paymentWords, REFUND_STATES, sumsOf } from "./sale-words";
import { useOrders } from "./use-orders";

/** Sums, payments, refunds and papers. */
export function MoneyCard({ order }: { order: OrderDetail }) {
  const api = useOrders();
  const money = (minor: number) => formatMoney(minor, order.currency);
  return (
    <section className="card stack" aria-labelledby="order-money">
      <h2 id="order-money">Money</h2>
      <dl className="sums number">
        {sumsOf(order).map(({ title, value }) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {order.payments.length > 0 && (
        <ul className="quiet-text">
          {order.payments.map((one) => (
            <li key={one.updated_at + one.gateway} className="wrap">
              {platformName(one.gateway)}: {money(one.amount_minor)} {paymentWords(one.state)}
              {one.message && `. ${closed(one.message)}`}
            </li>
          ))}
        </ul>
      )}
      {order.refunds.length > 0 && (
        <div className="stack tight">
          <h3>Refunds</h3>
          <ul className="lines">
            {order.refunds.map((refund) => (
              <li key={refund.id}>
                <div className="row spread">
                  <span className="number">{money(refund.amount_minor)}</span>
                  <Pill tone={REFUND_STATES[refund.state].tone}>{REFUND_STATES[refund.state].label}</Pill>
                </div>
                <p className="quiet-text wrap">
                  {dateTime(refund.created_at)} · {refund.author ?? "The buyer"}: {refund.reason}
                  {refund.state === "failed" && refund.message && `. ${closed(refund.message)}`}
                </p>
              </li>
            ))}
          </ul>
        </div>
      )}
      {order.invoices.length > 0 && (
        <div className="stack tight">
          <h3>Invoices</h3>
          <ul className="stack tight">
            {order.invoices.map((paper) => (
              <li key={paper.id} className="row spread">
                <a href={api.invoiceUrl(paper.id)}>
                  {paper.kind === "invoice" ? "Invoice" : "Credit note"} {paper.number} (PDF)
                </a>
                <span className="number">{money(paper.total_minor)}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}
