import type { OrderDetail, PostalAddress } from "@simulcast/api";
import { CopyButton } from "../parts/copy-button";
import { Notice } from "../parts/notice";
import { dateTime } from "../parts/words";
import { markWords, returnerWords } from "./sale-words";

/** Who bought, where it goes, and how it travels. */
export function BuyerCard({ order }: { order: OrderDetail }) {
  const { returner, delivery } = order;
  const lines = order.address ? addressLines(order.address) : [];
  return (
    <section className="card stack" aria-labelledby="order-buyer">
      <h2 id="order-buyer">Buyer</h2>
      <div className="stack tight">
        <strong className="wrap">{order.buyer_name ?? "Guest"}</strong>
        {order.email && <span className="wrap">{order.email}</span>}
      </div>
      {lines.length > 0 ? (
        <div className="row spread">
          <address className="wrap">
            {lines.map((line) => (
              <div key={line}>{line}</div>
            ))}
          </address>
          <CopyButton label="Copy address" text={[order.buyer_name ?? "", ...lines].join("\n")} />
        </div>
      ) : (
        <p className="quiet-text">No postal address was given.</p>
      )}
      {delivery && (delivery.sent_at ?? delivery.delivered_at) && (
        <p className="quiet-text wrap">
          {delivery.sent_at && `Sent ${dateTime(delivery.sent_at)}. `}
          {delivery.delivered_at && `Arrived ${dateTime(delivery.delivered_at)}. `}
          {delivery.tracking}
        </p>
      )}
      {returner && returner.returned > 0 && (
        <Notice tone={returner.marked ? "warn" : "quiet"}>
          {returner.marked && <strong>Returns much. </strong>}
          {returnerWords(returner)} {returner.marked && markWords(returner)}
        </Notice>
      )}
    </section>
  );
}

/** As on an envelope. */
export function addressLines(address: PostalAddress): string[] {
  const town = [address.postcode, address.city, address.region].filter(Boolean).join(" ");
  return [address.line1, address.line2, town, address.country, address.phone].filter(Boolean);
}
