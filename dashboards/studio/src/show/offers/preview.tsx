import {
  formatMoney,
  leftWords,
  type OfferPreview,
  type OfferReference,
  type PublicOffer,
  tierWords,
  timeLeft,
} from "@simulcast/api";
import { Notice } from "../../parts/notice";

/** What viewers will see, which price counts as the one before, and what is in the way. */
export function Preview({ preview, nowMs }: { preview: OfferPreview; nowMs: number }) {
  return (
    <div className="stack tight" aria-live="polite">
      <h3>What viewers will see</h3>
      <Seen offer={preview.offer} nowMs={nowMs} />
      {preview.references.map((one) => (
        <Reference key={one.variant_id} reference={one} />
      ))}
      {preview.problems.length > 0 && (
        <Notice tone="warn">
          Before it can go live: {[...new Set(preview.problems.map((one) => one.text))].join(" ")}
        </Notice>
      )}
    </div>
  );
}

function Seen({ offer, nowMs }: { offer: PublicOffer; nowMs: number }) {
  const clock = timeLeft(offer, nowMs);
  const left = offer.kind === "tiers" ? null : leftWords(offer);
  return (
    <div className="offer-seen" data-testid="offer-preview">
      <p className="row spread">
        <strong className="wrap">{offer.title}</strong>
        {clock && <span className="number">Ends in {clock}</span>}
      </p>
      {offer.bundle ? (
        <Price {...offer.bundle} title={offer.items.map((item) => `${item.quantity} × ${item.title}`).join(" + ")} />
      ) : (
        offer.kind !== "coupon" && offer.items.map((item) => <Price key={item.variant_id} {...item} />)
      )}
      {offer.kind === "coupon" && <p>A field for the code in the cart. The offer itself is not shown.</p>}
      {offer.tiers.length > 0 && (
        <ul>
          {tierWords(offer, offer.items[0]?.variant_id ?? "").map((tier) => (
            <li key={tier.text}>{tier.now ? <strong>{tier.text}</strong> : tier.text}</li>
          ))}
        </ul>
      )}
      {left && <p className="number">{left}</p>}
      {offer.members_until && <p>Members can buy this first.</p>}
    </div>
  );
}

interface PriceProps {
  title: string;
  unit_minor: number;
  was_minor: number | null;
  percent: number | null;
  currency: string;
}

function Price({ title, unit_minor: unit, was_minor: was, percent, currency }: PriceProps) {
  return (
    <p className="row number">
      <span className="grow wrap">{title}</span>
      <strong>{formatMoney(unit, currency)}</strong>
      {was !== null && percent !== null && (
        <>
          <s>{formatMoney(was, currency)}</s>
          <span>−{percent} %</span>
        </>
      )}
    </p>
  );
}

function Reference({ reference }: { reference: OfferReference }) {
  const { title, list_minor: list, lowest_minor: lowest, currency, why } = reference;
  return (
    <p className="quiet-text">
      <strong>{title}</strong>: listed at {formatMoney(list, currency)}
      {lowest !== null && `, lowest of the last 30 days ${formatMoney(lowest, currency)}`}. {why}
    </p>
  );
}
