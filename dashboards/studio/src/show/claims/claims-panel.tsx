import "./claims.css";
import { ClaimsApi, type ShowProduct, type ShowState } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { memo, useMemo, useState } from "react";
import { CLAIMS } from "../../cache";
import { Problem } from "../../parts/problem";
import { useNow } from "../../parts/use-now";
import { Fold } from "../fold";
import { Panel } from "../panel";
import { ClaimRow } from "./claim-row";
import { ClaimNames } from "./claim-names";
import { ClaimRulesForm } from "./claim-rules";
import { unpaid } from "./claim-words";

/** News tell of each change; this is for when they got lost. */
const READ_AGAIN_MS = 15_000;
const FEW = 12;

interface Props {
  showId: string;
  state: ShowState;
  products: ShowProduct[];
  /** The server's clock. */
  clock: { offsetMs: number };
}

/** What viewers claim by a comment, as it comes; what products are called; and the show's rules for it. */
export const ClaimsPanel = memo(function ClaimsPanel({ showId, state, products, clock }: Props) {
  const api = useMemo(() => new ClaimsApi(), []);
  const [only, setOnly] = useState(false);
  const [all, setAll] = useState(false);
  const found = useQuery({
    queryKey: [...CLAIMS, showId],
    queryFn: ({ signal }) => api.ofShow(showId, signal),
    refetchInterval: state === "ended" ? false : READ_AGAIN_MS,
  });
  const known = found.data?.claims ?? [];
  const now = useNow(known.some((claim) => claim.state === "held")) + clock.offsetMs;
  const due = known.filter(unpaid);
  const wanted = only ? due : known;
  const shown = all ? wanted : wanted.slice(0, FEW);
  return (
    <Panel
      id="claims"
      title="Claims"
      aside={
        known.length > 0 && (
          <button type="button" className="small claims-only" aria-pressed={only} onClick={() => setOnly(!only)}>
            Unpaid only ({due.length})
          </button>
        )
      }
    >
      <Problem error={found.error} retry={() => void found.refetch()} />
      {found.data && wanted.length === 0 && (
        <p className="quiet-text">{emptyWords(only, products.length > 0, found.data.rules.enabled)}</p>
      )}
      <ul className="lines" data-testid="claims">
        {shown.map((claim) => (
          <ClaimRow
            key={claim.message_id}
            api={api}
            showId={showId}
            claim={claim}
            products={products}
            nowMs={claim.state === "held" ? now : 0}
            ended={state === "ended"}
          />
        ))}
      </ul>
      {wanted.length > FEW && (
        <button type="button" className="small" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show the last ${wanted.length}`}
        </button>
      )}
      {found.data && products.length > 0 && (
        <Fold title="What viewers write">
          <ClaimNames api={api} showId={showId} names={found.data.names} />
        </Fold>
      )}
      {found.data && (
        <Fold title="Rules for claims">
          <ClaimRulesForm api={api} showId={showId} rules={found.data.rules} />
        </Fold>
      )}
    </Panel>
  );
});

function emptyWords(only: boolean, some: boolean, enabled: boolean): string {
  if (only) return "Everything that was claimed is paid.";
  if (!some) return "Claims need products. Add some to the show first.";
  if (!enabled) return "Comments are not taken as claims. Turn it on in the rules below.";
  return "Nothing claimed yet. Viewers of any chat write “sold” and a product's number, such as “sold 1”.";
}
