import type { Claim, ClaimsApi, ShowProduct } from "@simulcast/api";
import { memo } from "react";
import { CopyButton } from "../../parts/copy-button";
import { Pill } from "../../parts/pill";
import { PlatformBadge } from "../../parts/platform-badge";
import { Problem } from "../../parts/problem";
import { timeOfDay } from "../../parts/words";
import { Fold } from "../fold";
import { claimSentences, claimState, goodsWords, linkToTell, offerable } from "./claim-words";
import { useClaimsChange } from "./use-claims";

interface Props {
  api: ClaimsApi;
  showId: string;
  claim: Claim;
  products: ShowProduct[];
  /** The server's time; 0 where nothing runs out. */
  nowMs: number;
  ended: boolean;
}

export const ClaimRow = memo(function ClaimRow({ api, showId, claim, products, nowMs, ended }: Props) {
  const { message_id: id, restricted } = claim;
  const again = useClaimsChange(showId, () => api.again(showId, id));
  const restrict = useClaimsChange(showId, (on: boolean) => api.restrict(showId, id, on));
  const who = claim.author || "Guest";
  const offer = again.isPending ? "Offering…" : "Offer again";
  const { tone, label } = claimState(claim, nowMs);
  const link = linkToTell(claim);
  return (
    <li>
      <div className="row">
        <PlatformBadge platform={claim.platform} />
        <span className="grow wrap">
          <strong>{who}</strong> “{claim.words}”
        </span>
        <Pill tone={tone}>{label}</Pill>
      </div>
      <p className="quiet-text wrap">
        {timeOfDay(claim.said_at)} · {goodsWords(claim, products)}. {claimSentences(claim).join(" ")}
      </p>
      {link && (
        <div className="row">
          <span className="grow wrap">
            {/* No link to follow: it is the buyer's to open. */}
            Tell {who} where to pay, or show it: <code>{link}</code>
          </span>
          <CopyButton text={link} label="Copy link" />
        </div>
      )}
      {link && (
        <Fold title={`QR code for ${who}`}>
          {/* The link changes when the claim is offered again, and the picture with it. */}
          <img
            key={link}
            className="claim-qr"
            src={api.qrUrl(showId, id)}
            alt={`QR code of ${link}`}
            width="240"
            height="264"
          />
          <p className="quiet-text">Hold it into the camera. Whoever opens it first is asked for the name.</p>
        </Fold>
      )}
      <div className="row">
        {offerable(claim) && !ended && (
          <button
            type="button"
            className="small"
            aria-label={`${offer}: ${who}`}
            disabled={again.isPending}
            onClick={() => again.mutate(undefined)}
          >
            {offer}
          </button>
        )}
        <button
          type="button"
          className="small"
          aria-label={restricted ? `Lift restriction: take claims of ${who} again` : `Restrict: take no more claims of ${who}`}
          disabled={restrict.isPending}
          onClick={() => restrict.mutate(!restricted)}
        >
          {restricted ? "Lift restriction" : "Restrict"}
        </button>
      </div>
      <Problem error={again.error ?? restrict.error} />
    </li>
  );
});
