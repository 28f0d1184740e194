import "./orders.css";
import { formatMoney, type TermsPrompt as Prompt } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Notice } from "../parts/notice";
import { Problem } from "../parts/problem";
import { timeOfDay } from "../parts/words";
import { useOrders } from "./use-orders";

const LOOK_MS = 10_000;

/** "Say the return terms" for each expensive product of a show, until somebody ticks it. Nothing without any. */
export function TermsPrompts({ showId }: { showId: string }) {
  const api = useOrders();
  const cache = useQueryClient();
  const key = ["terms-prompts", showId];
  const prompts = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => api.prompts(showId, signal),
    refetchInterval: LOOK_MS, // another producer may tick it
  });
  const said = useMutation({
    mutationFn: (productId: string) => api.termsSaid(showId, productId),
    onSuccess: (now) => cache.setQueryData(key, now),
  });
  if (prompts.error) return <Problem error={prompts.error} retry={() => void prompts.refetch()} />;
  if (!prompts.data?.length) return null;
  return (
    <div className="stack tight" role="group" aria-label="Return terms to say">
      {prompts.data.map((prompt) =>
        prompt.said_at ? (
          <p key={prompt.product_id} className="quiet-text wrap">
            Return terms of {prompt.title} said at {timeOfDay(prompt.said_at)}
            {prompt.said_by && ` (${prompt.said_by})`}.
          </p>
        ) : (
          <Waiting
            key={prompt.product_id}
            prompt={prompt}
            busy={said.isPending}
            onSaid={() => said.mutate(prompt.product_id)}
          />
        ),
      )}
      <Problem error={said.error} />
    </div>
  );
}

function Waiting({ prompt, busy, onSaid }: { prompt: Prompt; busy: boolean; onSaid: () => void }) {
  const button = (
    <button
      type="button"
      className="small"
      disabled={busy}
      aria-label={`The return terms of ${prompt.title} were said`}
      onClick={onSaid}
    >
      Said
    </button>
  );
  return (
    <Notice tone="warn" action={button}>
      <strong>
        Say the return terms of {prompt.title} ({formatMoney(prompt.price_minor, prompt.currency)}).
      </strong>{" "}
      {prompt.policy || "No return terms are written down for it: add them to the product."}
    </Notice>
  );
}
