import { formatMoney, type OrderDetail, type SoldLine } from "@simulcast/api";
import { plural } from "../parts/words";

export function LinesCard({ order }: { order: OrderDetail }) {
  return (
    <section className="card stack" aria-labelledby="order-lines">
      <h2 id="order-lines">Goods</h2>
      <ul className="lines">
        {order.lines.map((line) => (
          <li key={line.id}>
            <div className="row">
              <span className="grow wrap">
                {line.quantity} × <strong>{line.title}</strong>{" "}
                <span className="quiet-text">{line.sku && `SKU ${line.sku}`}</span>
              </span>
              <span className="number">{formatMoney(line.paid_minor, order.currency)}</span>
            </div>
            <p className="quiet-text wrap">{lineWords(line, order.currency)}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** How the price came about, and how much of the line is back. */
export function lineWords(line: SoldLine, currency: string): string {
  const money = (minor: number) => formatMoney(minor, currency);
  const said = [`${money(line.unit_minor)} each`];
  if (line.list_minor > line.unit_minor) said.push(`list price ${money(line.list_minor)}`);
  if (line.discount_minor) said.push(`discount ${money(line.discount_minor)}`);
  if (line.tax_minor) said.push(`tax ${money(line.tax_minor)} (${line.tax_percent} %)`);
  if (line.returned) said.push(`${plural(line.returned, "piece")} came back`);
  if (line.refunded_minor) said.push(`${money(line.refunded_minor)} given back`);
  if (line.state === "sold_out") said.push("found no stock");
  if (line.state === "unknown_sku") said.push("this SKU is not in your catalogue");
  return said.join(" · ");
}
