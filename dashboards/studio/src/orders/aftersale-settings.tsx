import type { AftersaleTerms } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Dialog } from "../parts/dialog";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { SettingsForm } from "./settings-form";
import { TERMS, useOrders } from "./use-orders";

/** The brand's rules for returns, and what its invoices say. */
export function AftersaleSettings({ currency, onClose }: { currency: string; onClose: () => void }) {
  const api = useOrders();
  const cache = useQueryClient();
  const terms = useQuery({ queryKey: TERMS, queryFn: ({ signal }) => api.terms(signal) });
  const save = useMutation({
    mutationFn: (change: Partial<AftersaleTerms>) => api.changeTerms(change),
    onSuccess: (now) => {
      cache.setQueryData(TERMS, now);
      onClose();
    },
  });
  return (
    <Dialog title="Returns and invoices" onClose={onClose}>
      {terms.isPending && <Loading what="your rules" />}
      {terms.error && <Problem error={terms.error} retry={() => void terms.refetch()} />}
      {terms.data && (
        <SettingsForm
          terms={terms.data}
          currency={currency}
          busy={save.isPending}
          error={save.error}
          onSave={(change) => save.mutate(change)}
          onClose={onClose}
        />
      )}
    </Dialog>
  );
}
